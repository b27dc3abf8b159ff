"""A small ST-Mamba that learns the miniature LTS on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/lts_segmentation_miniature.py",
    "../../_base_/schedules/adamw_plateau.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="STMamba",
        in_channels=4,
        num_classes=1,
        widths=(8, 16, 32),
        temporal="mamba",
        fused="last",
        expand="linear",
        patch_size=32,
    ),
    loss=dict(type="BCEDice", bce_weight=0.5, dice_weight=0.5),
)

train_cfg = dict(max_epochs=60)
param_scheduler = [  # so few patches judge noisily; a patience of 5 ends the learning too soon
    dict(type="ReduceOnPlateauLR", monitor="dice@site", rule="greater", factor=0.1, patience=25),
]
optim_wrapper = dict(optimizer=dict(lr=2e-3))
default_hooks = dict(checkpoint=dict(save_best="dice@site"))

source = dict(
    name="ST-Mamba (small)",
    paper="arXiv:2312.00752",
    code="xian1234/ST-Mamba@9dae127",
    claimed=dict(),  # of this size nothing is published
)
