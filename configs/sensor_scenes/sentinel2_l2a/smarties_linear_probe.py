"""Linear probe of SMARTIES on scenes of Sentinel-2."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_sentinel2_l2a.py",
    "../../_base_/models/spectral_vit_miniature.py",
    "../../_base_/schedules/adamw_linear_probing_small.py",
    "../../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", **_base_.vit),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    frozen=True,
    standardises_features=True,
)

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="work_dirs/sensor_scenes/pretraining/seed_{seed}/checkpoints/epoch_15.pth",
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
