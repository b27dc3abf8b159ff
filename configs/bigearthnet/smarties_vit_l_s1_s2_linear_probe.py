"""Linear probe of SMARTIES ViT-L on Sentinel-1 and Sentinel-2 of BigEarthNet."""

_base_ = [
    "../_base_/benchmarks/bigearthnet_s1_s2.py",
    "../_base_/tasks/smarties_vit_l_linear_probe.py",
]

model = dict(
    num_classes=19,
    loss=dict(type="MultiLabelSoftMargin"),
    multi_label=True,
    num_images=2,
)

train_dataloader = dict(batch_size=1024)

source = dict(
    name="SMARTIES ViT-L (linear probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
