"""Linear probe of SMARTIES ViT-B on EuroSAT; the frozen encoder runs once."""

_base_ = [
    "../_base_/benchmarks/eurosat.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/schedules/adamw_linear_probing.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", **_base_.vit),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    frozen=True,
    standardises_features=True,
    head_std=0.01,
)

train_dataloader = dict(batch_size=1024)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_b.pth",
        prefix="net.encoder.",
    ),
    dict(type="CachedFeaturesHook"),
]

source = dict(
    name="SMARTIES ViT-B (linear probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
