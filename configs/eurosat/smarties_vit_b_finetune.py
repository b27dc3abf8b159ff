"""SMARTIES ViT-B, fine-tuned on EuroSAT, with mixup and CutMix."""

_base_ = [
    "../_base_/benchmarks/eurosat.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/schedules/adamw_fine_tuning.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", trains_positions=True, **_base_.vit),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    head_std=2e-5,
    sample_mixing=dict(mixup_alpha=0.8, cutmix_alpha=1.0, prob=1.0, switch_prob=0.5),
)

train_cfg = dict(max_epochs=150)
train_dataloader = dict(dataset=dict(augment="flips"))
optim_wrapper = dict(optimizer=dict(lr=2e-4))  # of 256 samples
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_b.pth",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES ViT-B (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
