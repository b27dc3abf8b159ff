"""Small SimVP-gSTA for the TaxiBJ miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/models/simvp_gsta.py",
    "../../_base_/benchmarks/taxibj_miniature_4to4.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(4, 2, 32, 32),
        spatial_channels=16,
        temporal_channels=64,
        num_spatial_blocks=2,
        num_temporal_blocks=2,
        mlp_ratio=4.0,
    ),
)

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=5e-3))

source = dict(name="SimVP-gSTA (small)")
