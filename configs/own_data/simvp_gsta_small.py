"""Small SimVP-gSTA on frames of a user; trains on a CPU."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/imported_frames.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(10, 1, 64, 64),
        spatial_channels=16,
        temporal_channels=64,
        num_spatial_blocks=2,
        num_temporal_blocks=2,
        mlp_ratio=4.0,
    ),
)

train_cfg = dict(max_epochs=20)
# five times the rate of the full size: there are few steps, and a small net tolerates it
param_scheduler = [dict(**_base_.cycle, eta_max=5e-3), _base_.momentum]

source = dict(name="SimVP-gSTA (small)")
