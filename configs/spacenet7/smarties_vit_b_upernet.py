"""UPerNet probe of SMARTIES ViT-B on SpaceNet 7, with PANGAEA's settings."""

_base_ = [
    "../_base_/benchmarks/spacenet7.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/schedules/adamw_dense_probing.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="SpectralSegmenter",
        encoder=dict(interpolation="inverted", **_base_.vit),
        num_classes=2,
        head="upernet",
        frozen=True,
    ),
    loss=dict(type="CrossEntropy"),
)

custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_b.pth",
        part="net.encoder",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES ViT-B (UPerNet probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
