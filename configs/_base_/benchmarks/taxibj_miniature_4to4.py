"""TaxiBJ 4 to 4 on its synthetic miniature, which prepare_data/taxibj.py --miniature writes."""

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/miniature/taxibj", split="train"),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/miniature/taxibj", split="val"),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/miniature/taxibj", split="test"),
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
