"""Linear probe of SMARTIES ViT-B on Sentinel-1 of BigEarthNet; the frozen encoder runs once."""

_base_ = [
    "../_base_/benchmarks/bigearthnet_s1.py",
    "../_base_/tasks/smarties_vit_b_linear_probe.py",
]

model = dict(
    num_classes=19,
    loss=dict(type="MultiLabelSoftMargin"),
    multi_label=True,
)

train_dataloader = dict(batch_size=1024)

source = dict(
    name="SMARTIES ViT-B (linear probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
