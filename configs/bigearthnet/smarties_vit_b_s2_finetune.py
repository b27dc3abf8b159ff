"""SMARTIES ViT-B, fine-tuned on Sentinel-2 of BigEarthNet."""

_base_ = [
    "../_base_/benchmarks/bigearthnet_s2.py",
    "../_base_/models/spectral_vit_b.py",
    "../_base_/schedules/adamw_fine_tuning.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="SpectralViT", interpolation="inverted", trains_positions=True, **_base_.vit),
    num_classes=19,
    loss=dict(type="MultiLabelSoftMargin"),
    head_std=2e-5,
    multi_label=True,
)

train_cfg = dict(max_epochs=100)
train_dataloader = dict(dataset=dict(augment="flips"))
optim_wrapper = dict(optimizer=dict(lr=5e-5))  # of 256 samples
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="PretrainedHook",
        checkpoint="data/smarties/smarties_v1_vit_b.pth",
        prefix="net.encoder.",
    ),
]

source = dict(
    name="SMARTIES ViT-B (fine-tuned)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # the tables of the paper could not be verified
)
