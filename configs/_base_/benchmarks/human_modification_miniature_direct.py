"""The miniature of Human Modification: 2005 to 2020 from 1990 to 2000 and 17 covariates."""

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/miniature/human_modification/statistics_direct.json",
        prepare="python tools/prepare_data/human_modification.py --miniature",
        channels=dict(
            frames=["AA"],
            dynamic=["AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population"],
            static=["ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict"],
        ),
    ),
)

train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="HumanModification",
        root="data/miniature/human_modification",
        split="train",
        target="AA",
        dynamic=["AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population"],
        static=["ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict"],
        lonlat=True,
        num_targets=4,
        values="0-1",
        chip_size=32,
        mode="random",
        chips_per_epoch=200,
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="HumanModification",
        root="data/miniature/human_modification",
        split="val",
        target="AA",
        dynamic=["AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population"],
        static=["ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict"],
        lonlat=True,
        num_targets=4,
        values="0-1",
        chip_size=32,
        end_years=[2000],
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(
        type="HumanModification",
        root="data/miniature/human_modification",
        split="test",
        target="AA",
        dynamic=["AG", "BU", "EX", "FR", "HI", "NS", "PO", "TI", "gdp", "population"],
        static=["ele", "tas", "tasmin", "pr", "dpi_dsi", "iucn_nostrict", "iucn_strict"],
        lonlat=True,
        num_targets=4,
        values="0-1",
        chip_size=32,
        end_years=[2000],
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)

val_evaluator = [  # the first chooses the best checkpoint
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
    dict(type="IntervalCoverage", calibrated=True),
    dict(type="IntervalWidth", calibrated=True),
    dict(type="ValidPixels"),
]
