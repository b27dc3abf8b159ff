"""LTS, 128 x 128: in which pixels there is a site, from all years of the series."""

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/lts/statistics.json",
        prepare="python tools/prepare_data/lts_segmentation.py cut --root data/lts",
        channels=dict(frames=["blue", "green", "red", "nir"]),
    ),
)

train_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type="LTSSegmentation",
        root="data/lts",
        split="train",
        num_years=34,
        bands=["blue", "green", "red", "nir"],
        patch_size=128,
        augment=True,
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type="LTSSegmentation",
        root="data/lts",
        split="val",
        num_years=34,
        bands=["blue", "green", "red", "nir"],
        patch_size=128,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    dataset=dict(
        type="LTSSegmentation",
        root="data/lts",
        split="test",
        num_years=34,
        bands=["blue", "green", "red", "nir"],
        patch_size=128,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)

# recipes choose the best checkpoint by dice@site: save_best="dice@site"
val_evaluator = [
    dict(type="Dice", classes=["background", "site"]),
    dict(type="IoU", classes=["background", "site"]),
]
test_evaluator = [
    dict(type="Dice", classes=["background", "site"]),
    dict(type="IoU", classes=["background", "site"]),
    dict(type="Precision", classes=["background", "site"]),
    dict(type="Recall", classes=["background", "site"]),
    dict(type="OverallAccuracy", classes=["background", "site"]),
    dict(type="CohenKappa", classes=["background", "site"]),
]
