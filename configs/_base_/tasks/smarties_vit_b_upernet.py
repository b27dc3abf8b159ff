"""UPerNet on the frozen SMARTIES ViT-B; a recipe sets num_classes, and num_images if not 1."""

_base_ = [
    "../models/spectral_vit_b.py",
    "../schedules/adamw_dense_probing.py",
    "../runtime_encoder.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="SpectralSegmenter",
        encoder=dict(interpolation="inverted", **_base_.vit),
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
