"""A small ConvLSTM that learns the miniature TaxiBJ on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/taxibj_miniature_4to4.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="ConvLSTM",
        in_channels=2,
        hidden=(32, 32),
        kernel_size=5,
        patch_size=4,
    ),
    feed=dict(type="ScheduledSampling", start=1.0, rate=2e-3, stop=500),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(
    name="ConvLSTM (small)",
    paper="arXiv:1506.04214",
    code="chengtan9907/OpenSTL@c74deb5",
    claimed=dict(),  # of this size nothing is published
)
