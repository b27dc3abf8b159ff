"""Nearest neighbours of SMARTIES ViT-B on WHU-RS19: nothing is trained, so only `test` runs it."""

_base_ = [
    "../_base_/benchmarks/whu_rs19_evaluation.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="NearestNeighbours",
    net=dict(type="SpectralViT", interpolation="inverted", **_base_.vit),
    num_classes=19,
    k=20,
    temperature=0.07,
)

bank = dict(**_base_.dataset, split="train")
val_cfg = dict(type="NeighbourValLoop", bank=bank)
test_cfg = dict(type="NeighbourTestLoop", bank=bank)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_b.pth",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES ViT-B (k-NN)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
