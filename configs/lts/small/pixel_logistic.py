"""What the series of a pixel alone says on the miniature LTS: the row that nets must beat."""

_base_ = [
    "../../_base_/benchmarks/lts_segmentation_miniature.py",
    "../../_base_/schedules/adamw_plateau.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="PixelLogistic",
        in_channels=4,
        num_steps=10,
        num_classes=1,
    ),
    loss=dict(type="BCEDice", bce_weight=0.5, dice_weight=0.5),
)

train_cfg = dict(max_epochs=60)
param_scheduler = [  # as long and as patient as the nets that are trained longest
    dict(type="ReduceOnPlateauLR", monitor="dice@site", rule="greater", factor=0.1, patience=25),
]
optim_wrapper = dict(optimizer=dict(lr=2e-2))
default_hooks = dict(checkpoint=dict(save_best="dice@site"))

source = dict(
    name="Pixel logistic",
    paper="a baseline of this project",
    code="a baseline of this project",
    claimed=dict(),  # nothing is published
)
