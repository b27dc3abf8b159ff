"""LTS, 128 x 128: the pixels of each site, from all years of the series."""

bands = ["blue", "green", "red", "nir"]
classes = ["background", "site"]
loader = dict(batch_size=32, num_workers=4)
dataset = dict(type="LTSSegmentation", root="data/lts", num_years=34, bands=bands, patch_size=128)

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/lts/statistics.json",
        prepare="openstl-ext data lts cut --root data/lts",
        channels=dict(frames=bands),
    ),
)

train_dataloader = dict(**loader, dataset=dict(**dataset, split="train", augment=True))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test"))

val_evaluator = [dict(type="Dice", classes=classes), dict(type="IoU", classes=classes)]
test_evaluator = [
    *val_evaluator,
    dict(type="Precision", classes=classes),
    dict(type="Recall", classes=classes),
    dict(type="OverallAccuracy", classes=classes),
    dict(type="CohenKappa", classes=classes),
]
