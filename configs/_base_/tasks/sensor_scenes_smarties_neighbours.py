"""Nearest neighbours of SMARTIES (miniature) on synthetic scenes."""

_base_ = [
    "../models/spectral_vit_miniature.py",
    "../runtime_encoder.py",
]

model = dict(type="NearestNeighbours", net=dict(type="SpectralViT", **_base_.vit), num_classes=10)

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="work_dirs/sensor_scenes/pretraining/seed_{seed}",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES (miniature), k-NN",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
