"""The miniature of Human Modification: the next maps from three maps and elevation, up to 2020."""

_base_ = "human_modification_simple.py"

root = "data/miniature/human_modification"
loader = dict(num_workers=0, dataset=dict(root=root, values="0-10000", chip_size=32))

model = dict(
    data_preprocessor=dict(
        statistics="data/miniature/human_modification/statistics_simple.json",
        prepare="openstl-ext data human-modification --miniature "
        "--root data/miniature/human_modification",
    ),
)

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader

test_evaluator = [
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="SSIM", data_range=10_000),  # range of the values; the other metrics are unchanged
    dict(type="ChangeR2"),
    dict(type="ValidPixels"),
]
