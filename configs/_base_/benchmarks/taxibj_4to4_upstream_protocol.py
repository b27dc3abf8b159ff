"""TaxiBJ as in published tables: all training windows, the best epoch chosen on the test set.

That flatters every score a little, so use it only to stand beside published ones.
"""

train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/taxibj", split="train", val_fraction=0.0),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/taxibj", split="test"),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=0,
    dataset=dict(type="TaxiBJ", root="data/taxibj", split="test"),
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
