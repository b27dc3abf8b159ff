"""A small ConvLSTM that learns the miniature Moving MNIST on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/moving_mnist_miniature_10to10.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="ConvLSTM",
        in_channels=1,
        hidden=(32, 32),
        kernel_size=5,
        patch_size=4,
    ),
    feed=dict(type="ScheduledSampling", start=1.0, rate=2e-3, stop=500),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(
    name="ConvLSTM (small)",
    paper="arXiv:1506.04214",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # of this size nothing is published
)
