"""Boiling, 64 x 64: ten frames as input, the next ten as target."""

dataset = dict(type="Boiling", root="data/boiling", num_inputs=10, num_targets=10)

train_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="train"))
val_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="val"))
test_dataloader = dict(batch_size=8, dataset=dict(**dataset, split="test"))

# the first metric selects the best checkpoint
val_evaluator = [dict(type="SummedMSE"), dict(type="MeanMSE"), dict(type="MeanMAE")]
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
