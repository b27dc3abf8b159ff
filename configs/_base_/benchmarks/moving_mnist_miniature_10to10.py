"""Moving MNIST 10 to 10 on its synthetic miniature, in short epochs."""

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="MovingMNIST",
        root="data/miniature/moving_mnist",
        split="train",
        epoch_length=400,
        num_inputs=10,
        num_targets=10,
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="MovingMNIST",
        root="data/miniature/moving_mnist",
        split="val",
        val_length=40,
        num_inputs=10,
        num_targets=10,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="MovingMNIST",
        root="data/miniature/moving_mnist",
        split="test",
        num_inputs=10,
        num_targets=10,
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
