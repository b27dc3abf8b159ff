"""SMARTIES ViT-L, fine-tuned on RESISC45, with random crops."""

_base_ = [
    "../_base_/benchmarks/resisc45.py",
    "../_base_/models/spectral_vit_l.py",
    "../_base_/schedules/adamw_fine_tuning.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", trains_positions=True, **_base_.vit),
    num_classes=45,
    loss=dict(type="CrossEntropy"),
    head_std=2e-5,
)

train_cfg = dict(max_epochs=200)
train_dataloader = dict(dataset=dict(augment="crops"))
optim_wrapper = dict(optimizer=dict(lr=6.25e-5))  # of 256 samples
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_l.pth",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES ViT-L (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
