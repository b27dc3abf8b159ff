"""Nearest neighbours of SMARTIES ViT-L; a recipe sets num_classes and the loops."""

_base_ = [
    "../models/spectral_vit_l.py",
    "../runtime_encoder.py",
]

model = dict(
    type="NearestNeighbours",
    net=dict(type="SpectralViT", interpolation="inverted", **_base_.vit),
    k=20,
    temperature=0.07,
)

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_l.pth",
        prefix="net.encoder.",
    ),
]
