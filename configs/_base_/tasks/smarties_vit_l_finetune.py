"""Fine-tuning of SMARTIES ViT-L; a recipe sets num_classes, loss, rate and length."""

_base_ = [
    "../models/spectral_vit_l.py",
    "../schedules/adamw_fine_tuning.py",
    "../runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", trains_positions=True, **_base_.vit),
    head_std=2e-5,
)

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_l.pth",
        prefix="net.encoder.",
    ),
]
