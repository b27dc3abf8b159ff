"""Small masked autoencoder on synthetic pairs of three sensors; trains on a CPU in minutes."""

_base_ = [
    "../_base_/benchmarks/sensor_scenes_pairs.py",
    "../_base_/models/spectral_vit_miniature.py",
    "../_base_/schedules/adamw_masked_pretraining_small.py",
    "../_base_/runtime_encoder.py",
]

model = dict(
    type="MaskedAutoencoding",
    net=dict(
        type="SpectralAutoencoder",
        encoder=_base_.vit,
        decoder_channels=32,
        decoder_depth=2,
        decoder_num_heads=2,
    ),
    mask_ratio=0.75,
    mixing="symmetric",
)

shown = dict(
    type="SensorPairs", root="data/sensor_scenes", pairs=_base_.pairs, image_size=32, split="val"
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type="ReconstructionFigureHook", dataset=shown, num_samples=6),
]

source = dict(
    name="SMARTIES (miniature)",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
