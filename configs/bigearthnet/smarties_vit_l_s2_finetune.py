"""SMARTIES ViT-L, fine-tuned on Sentinel-2 of BigEarthNet."""

_base_ = [
    "../_base_/benchmarks/bigearthnet_s2.py",
    "../_base_/tasks/smarties_vit_l_finetune.py",
]

model = dict(
    num_classes=19,
    loss=dict(type="MultiLabelSoftMargin"),
    multi_label=True,
)

train_cfg = dict(max_epochs=100)
train_dataloader = dict(dataset=dict(augment="flips"))
optim_wrapper = dict(optimizer=dict(lr=5e-5))  # of 256 samples

source = dict(
    name="SMARTIES ViT-L (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
