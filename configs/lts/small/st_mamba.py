"""Small ST-Mamba for the LTS miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/lts_segmentation_miniature.py",
    "../../_base_/schedules/adamw_plateau_small.py",
    "../../_base_/runtime_segmentation.py",
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

optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(
    name="ST-Mamba (small)",
    paper="arXiv:2312.00752",
    code="xian1234/ST-Mamba@9dae127",
    claimed=dict(),  # nothing is published for this size
)
