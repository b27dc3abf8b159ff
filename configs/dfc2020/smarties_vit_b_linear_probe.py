"""Linear probe of SMARTIES ViT-B on DFC2020, with label smoothing 0.1."""

_base_ = [
    "../_base_/benchmarks/dfc2020.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/schedules/adamw_linear_probing.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Segmentation",
    net=dict(
        type="SpectralSegmenter",
        encoder=dict(interpolation="inverted", **_base_.vit),
        num_classes=8,
        head="linear",
        frozen=True,
        label_size=96,
    ),
    loss=dict(type="CrossEntropy", label_smoothing=0.1),
)

train_dataloader = dict(batch_size=1024)

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
    name="SMARTIES ViT-B (linear probe)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
