"""Linear probe of the frozen SMARTIES ViT-L; a recipe sets num_classes, loss and batch size."""

_base_ = [
    "../models/spectral_vit_l.py",
    "../schedules/adamw_linear_probing.py",
    "../runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", **_base_.vit),
    frozen=True,
    standardises_features=True,
    head_std=0.01,
)

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_l.pth",
        prefix="net.encoder.",
    ),
    dict(type="CachedFeaturesHook"),
]
