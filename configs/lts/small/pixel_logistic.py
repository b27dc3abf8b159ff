"""Logistic regression per pixel on the LTS miniature, a baseline for the nets."""

_base_ = [
    "../../_base_/benchmarks/lts_segmentation_miniature.py",
    "../../_base_/schedules/adamw_plateau_small.py",
    "../../_base_/runtime_segmentation.py",
]

model = dict(
    type="Segmentation",
    net=dict(type="PixelLogistic", in_channels=4, num_steps=10, num_classes=1),
    loss=dict(type="BCEDice", bce_weight=0.5, dice_weight=0.5),
)

optim_wrapper = dict(optimizer=dict(lr=2e-2))

source = dict(
    name="Pixel logistic",
    paper="a baseline of this project",
    code="a baseline of this project",
    claimed=dict(),  # nothing is published
)
