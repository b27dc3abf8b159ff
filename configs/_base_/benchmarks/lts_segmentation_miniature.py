"""LTS on its synthetic miniature, which `openstl-ext data lts --miniature` writes."""

_base_ = "lts_segmentation.py"

model = dict(
    data_preprocessor=dict(
        statistics="data/miniature/lts/statistics.json",
        prepare="openstl-ext data lts --miniature --root data/miniature/lts",
    ),
)

loader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(root="data/miniature/lts", num_years=10, patch_size=32),
)

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
