"""Nearest neighbours of SMARTIES on scenes of Sentinel-1."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_sentinel1_grd.py",
    "../../_base_/models/spectral_vit_miniature.py",
    "../../_base_/runtime_encoder.py",
]

model = dict(
    type="NearestNeighbours", net=dict(type="SpectralViT", **_base_.vit), num_classes=10, k=5
)

bank = dict(**_base_.dataset, split="train")
val_cfg = dict(type="NeighbourValLoop", bank=bank)
test_cfg = dict(type="NeighbourTestLoop", bank=bank)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="work_dirs/sensor_scenes/pretraining/seed_{seed}/checkpoints/epoch_15.pth",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES (miniature), k-NN",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
