"""The miniature of Human Modification: the next maps from three and elevation, up to 2020."""

_base_ = ["human_modification_simple.py"]

model = dict(
    data_preprocessor=dict(
        statistics="data/miniature/human_modification/statistics_simple.json",
        prepare="python tools/prepare_data/human_modification.py --miniature",
    ),
)

train_dataloader = dict(
    num_workers=0,
    dataset=dict(root="data/miniature/human_modification", values="0-10000", chip_size=32),
)
val_dataloader = dict(
    num_workers=0,
    dataset=dict(root="data/miniature/human_modification", values="0-10000", chip_size=32),
)
test_dataloader = dict(
    num_workers=0,
    dataset=dict(root="data/miniature/human_modification", values="0-10000", chip_size=32),
)

test_evaluator = [
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="SSIM", data_range=10_000),  # of the values; all else is as on the real maps
    dict(type="ChangeR2"),
    dict(type="ValidPixels"),
]
