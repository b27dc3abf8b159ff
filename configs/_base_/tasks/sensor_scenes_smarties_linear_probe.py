"""Linear probe of SMARTIES (miniature) on synthetic scenes."""

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

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="work_dirs/sensor_scenes/pretraining/seed_{seed}",
        prefix="net.encoder.",
    ),
    dict(type="CachedFeaturesHook"),
]

source = dict(
    name="SMARTIES (miniature), linear probe",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
