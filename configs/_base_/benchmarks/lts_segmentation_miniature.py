"""LTS on its synthetic miniature, which prepare_data/lts_segmentation.py --miniature writes."""

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/miniature/lts/statistics.json",
        prepare="python tools/prepare_data/lts_segmentation.py --miniature",
        channels=dict(frames=["blue", "green", "red", "nir"]),
    ),
)

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="LTSSegmentation",
        root="data/miniature/lts",
        split="train",
        num_years=10,
        bands=["blue", "green", "red", "nir"],
        patch_size=32,
        augment=True,
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="LTSSegmentation",
        root="data/miniature/lts",
        split="val",
        num_years=10,
        bands=["blue", "green", "red", "nir"],
        patch_size=32,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="LTSSegmentation",
        root="data/miniature/lts",
        split="test",
        num_years=10,
        bands=["blue", "green", "red", "nir"],
        patch_size=32,
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
