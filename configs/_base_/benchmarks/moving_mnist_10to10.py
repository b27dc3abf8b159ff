"""Moving MNIST, 64 x 64, two digits: ten frames in, the next ten out. The published test set."""

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    dataset=dict(
        type="MovingMNIST", root="data/moving_mnist", split="train", num_inputs=10, num_targets=10
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    dataset=dict(
        type="MovingMNIST", root="data/moving_mnist", split="val", num_inputs=10, num_targets=10
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=4,
    dataset=dict(
        type="MovingMNIST", root="data/moving_mnist", split="test", num_inputs=10, num_targets=10
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)

val_evaluator = [  # the first chooses the best checkpoint
    dict(type="SummedMSE"),
    dict(type="MeanMSE"),
    dict(type="MeanMAE"),
]
test_evaluator = [
    dict(type="SummedMSE"),
    dict(type="SummedMAE"),
    dict(type="SummedRMSE"),
    dict(type="MeanMSE"),
    dict(type="MeanMAE"),
    dict(type="PSNR", clip=[0, 1]),
    dict(type="SSIM"),
    dict(type="SSIMOpenSTL"),
]
