"""SMARTIES ViT-L, fine-tuned on RESISC45, with random crops."""

_base_ = [
    "../_base_/benchmarks/resisc45.py",
    "../_base_/tasks/smarties_vit_l_finetune.py",
]

model = dict(
    num_classes=45,
    loss=dict(type="CrossEntropy"),
)

train_cfg = dict(max_epochs=200)
train_dataloader = dict(dataset=dict(augment="crops"))
optim_wrapper = dict(optimizer=dict(lr=6.25e-5))  # of 256 samples

source = dict(
    name="SMARTIES ViT-L (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
