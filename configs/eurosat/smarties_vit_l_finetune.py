"""SMARTIES ViT-L, fine-tuned on EuroSAT, with mixup and CutMix."""

_base_ = [
    "../_base_/benchmarks/eurosat.py",
    "../_base_/tasks/smarties_vit_l_finetune.py",
]

model = dict(
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    sample_mixing=dict(mixup_alpha=0.8, cutmix_alpha=1.0, prob=1.0, switch_prob=0.5),
)

train_cfg = dict(max_epochs=150)
train_dataloader = dict(dataset=dict(augment="flips"))
optim_wrapper = dict(optimizer=dict(lr=2e-4))  # of 256 samples

source = dict(
    name="SMARTIES ViT-L (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
