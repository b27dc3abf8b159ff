"""SMARTIES ViT-L: masked autoencoding of pairs of sensors, for 300 epochs."""

_base_ = [
    "../_base_/benchmarks/sensor_pairs.py",
    "../_base_/models/spectral_vit_l.py",
    "../_base_/schedules/adamw_masked_pretraining.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="MaskedAutoencoding",
    net=dict(
        type="SpectralAutoencoder",
        encoder=_base_.vit,
        decoder_channels=512,
        decoder_depth=8,
        decoder_num_heads=16,
    ),
    mask_ratio=0.75,
    mixing="symmetric",
)

train_cfg = dict(val_interval=10)

source = dict(
    name="SMARTIES ViT-L",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # it is evaluated by the tasks
)
