"""Human Modification, 1 km: the next maps from three and elevation, up to 2020."""

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/human_modification/statistics_simple.json",
        prepare="python tools/prepare_data/human_modification.py statistics --version simple",
        channels=dict(frames=["HM"], static=["elevation"]),
    ),
)

train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    dataset=dict(
        type="HumanModification",
        root="data/human_modification",
        split="train",
        target="HM",
        static=["elevation"],
        num_targets=1,
        values="0-1",
        chip_size=128,
        mode="random",
        chips_per_epoch=200,
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=4,
    dataset=dict(
        type="HumanModification",
        root="data/human_modification",
        split="val",
        target="HM",
        static=["elevation"],
        num_targets=4,
        values="0-1",
        chip_size=128,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=4,
    dataset=dict(
        type="HumanModification",
        root="data/human_modification",
        split="test",
        target="HM",
        static=["elevation"],
        num_targets=4,
        values="0-1",
        chip_size=128,
    ),
    sampler=dict(type="DefaultSampler", shuffle=False),
)

val_evaluator = [  # the first chooses the best checkpoint
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="ValidPixels"),
]
test_evaluator = [
    dict(type="MeanMAE"),
    dict(type="MeanRMSE"),
    dict(type="Bias"),
    dict(type="SSIM", data_range=1.0),
    dict(type="ChangeR2"),
    dict(type="ValidPixels"),
]
