"""A very small SimVP on 16 x 16 boiling maps, normalised by stored statistics."""

# ruff: noqa: C408
_base_ = ["../../../configs/boiling/simvp_gsta_small.py"]

model = dict(
    net=dict(in_shape=(4, 1, 16, 16), spatial_channels=4, temporal_channels=8, mlp_ratio=2.0),
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="data/stored_run/statistics.json",
        channels=dict(frames=["temperature"]),
    ),
)

train_dataloader = dict(
    batch_size=4, dataset=dict(root="data/stored_run", num_inputs=4, num_targets=4)
)
val_dataloader = dict(
    batch_size=4, dataset=dict(root="data/stored_run", num_inputs=4, num_targets=4)
)
test_dataloader = dict(
    batch_size=4, dataset=dict(root="data/stored_run", num_inputs=4, num_targets=4)
)

train_cfg = dict(max_epochs=1)

source = dict(name="SimVP of the stored run")
