"""Boiling, 64 x 64: ten frames in, the next ten out."""

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="Boiling", root="data/boiling", split="train", num_inputs=10, num_targets=10),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="Boiling", root="data/boiling", split="val", num_inputs=10, num_targets=10),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="Boiling", root="data/boiling", split="test", num_inputs=10, num_targets=10),
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
    dict(type="MeanRMSE"),
    dict(type="PSNR", clip=[0, 1]),
    dict(type="SSIM"),
    dict(type="SSIMOpenSTL"),
    dict(type="SSIMSimVPMinimal"),
    dict(type="SNR"),
]
