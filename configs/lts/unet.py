"""U-Net on LTS, ST-Mamba's recipe of 50 epochs."""

_base_ = [
    "../_base_/benchmarks/lts_segmentation.py",
    "../_base_/schedules/adamw_plateau.py",
    "../_base_/runtime_segmentation.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="UNet", in_channels=4, num_classes=1, num_steps=34, widths=(64, 128, 256, 512, 1024)
    ),
    loss=dict(type="BCEDice", bce_weight=0.5, dice_weight=0.5),
)

source = dict(
    name="U-Net",
    paper="arXiv:1505.04597",
    code="xian1234/ST-Mamba@9dae127",
    claimed=dict(),  # no scores are published
)
