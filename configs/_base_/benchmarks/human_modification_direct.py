"""Human Modification, 1 km: 2005 to 2020 from 1990 to 2000 and 17 covariates."""

dynamic = ["AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population"]
static = ["ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict"]
loader = dict(batch_size=8, num_workers=4)
dataset = dict(
    type="HumanModification",
    root="data/human_modification",
    target="AA",
    dynamic=dynamic,
    static=static,
    lonlat=True,
    num_targets=4,
    values="0-1",
    chip_size=128,
)
training = dict(split="train", mode="random", chips_per_epoch=200)

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/human_modification/statistics_direct.json",
        prepare="openstl-ext data human-modification statistics --version direct "
        "--root data/human_modification",
        channels=dict(frames=["AA"], dynamic=dynamic, static=static),
    ),
)

train_dataloader = dict(**loader, dataset=dict(**dataset, **training))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val", end_years=[2000]))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test", end_years=[2000]))

val_evaluator = [  # the first metric selects the best checkpoint
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="IntervalCoverage"),
    dict(type="IntervalWidth"),
    dict(type="ValidPixels"),
]
test_evaluator = [
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="SSIM", data_range=1.0),
    dict(type="ChangeR2"),
    dict(type="IntervalCoverage"),
    dict(type="IntervalWidth"),
    dict(type="ValidPixels"),
]
