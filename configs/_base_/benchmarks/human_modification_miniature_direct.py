"""The miniature of Human Modification: 2005 to 2020 from 1990 to 2000 and 17 covariates."""

_base_ = "human_modification_direct.py"

root = "data/miniature/human_modification"
loader = dict(num_workers=0, dataset=dict(root=root, chip_size=32))

model = dict(
    data_preprocessor=dict(
        statistics="data/miniature/human_modification/statistics_direct.json",
        prepare="openstl-ext data human-modification --miniature "
        "--root data/miniature/human_modification",
    ),
)

train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
