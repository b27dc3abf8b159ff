"""Flow matching with SimVP's parts for the Moving MNIST miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/models/flow_unet.py",
    "../../_base_/benchmarks/moving_mnist_miniature_ensemble_10to10.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    num_steps=5,
    num_members=4,
    net=dict(
        type="DenoisingSimVP",
        in_channels=1,
        num_inputs=10,
        num_targets=10,
        spatial_channels=8,
        temporal_channels=64,
    ),
    data_preprocessor=dict(type="SequencePreprocessor", mean=0.05, std=0.2),
)

train_cfg = dict(max_epochs=8, val_interval=8)
optim_wrapper = dict(optimizer=dict(lr=3e-3))

source = dict(name="Flow matching (SimVP, small)")
