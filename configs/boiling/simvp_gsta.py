"""SimVP-gSTA on boiling, size and recipe of simvp_minimal, 20 epochs."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/boiling_10to10.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(
        in_shape=(10, 1, 64, 64),
        spatial_channels=64,
        temporal_channels=512,
        num_spatial_blocks=4,
        num_temporal_blocks=8,
    ),
)

train_cfg = dict(max_epochs=20)

source = dict(code="CCU-LANL-AIML/simvp_minimal@be7db3d")  # which publishes no scores
