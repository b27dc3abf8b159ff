"""Small (2+1)D U-Net for the LTS miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/lts_segmentation_miniature.py",
    "../../_base_/schedules/adamw_plateau.py",
    "../../_base_/runtime_segmentation.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="UNet2Plus1D", in_channels=4, num_classes=1, widths=(8, 16, 32), time_strides=(1, 2)
    ),
    loss=dict(type="BCEDice", bce_weight=0.5, dice_weight=0.5),
)

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(
    name="(2+1)D U-Net (small)",
    paper="arXiv:1711.11248",
    code="xian1234/ST-Mamba@9dae127",
    claimed=dict(),  # nothing is published for this size
)
