"""Human Modification, 1 km: the next maps from three maps and elevation, up to 2020."""

static = ["elevation"]
loader = dict(batch_size=8, num_workers=4)
dataset = dict(
    type="HumanModification",
    root="data/human_modification",
    target="HM",
    static=static,
    values="0-1",
    chip_size=128,
)
training = dict(split="train", num_targets=1, mode="random", chips_per_epoch=200)

model = dict(
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/human_modification/statistics_simple.json",
        prepare="openstl-ext data human-modification statistics --root data/human_modification",
        channels=dict(frames=["HM"], static=static),
    ),
)

train_dataloader = dict(**loader, dataset=dict(**dataset, **training))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val", num_targets=4))
test_dataloader = dict(**loader, dataset=dict(**dataset, split="test", num_targets=4))

val_evaluator = [  # the first metric selects the best checkpoint
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
