"""Linear probe of an encoder with random weights on synthetic scenes."""

_base_ = [
    "../models/spectral_vit_miniature.py",
    "../schedules/adamw_linear_probing_small.py",
    "../runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", **_base_.vit),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    frozen=True,
    standardises_features=True,
)

custom_hooks = [*_base_.custom_hooks, dict(type="CachedFeaturesHook")]

source = dict(
    name="Random weights, linear probe",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
