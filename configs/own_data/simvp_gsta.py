"""SimVP-gSTA on frames of a user, with the net and the schedule of OpenSTL's Moving MNIST."""

_base_ = [
    "../_base_/models/simvp_gsta.py",
    "../_base_/benchmarks/imported_frames.py",
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

train_cfg = dict(max_epochs=50)
