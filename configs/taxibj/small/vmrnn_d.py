"""A small VMRNN-D that learns the miniature TaxiBJ on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/taxibj_miniature_4to4.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="VMRNND",
        in_channels=2,
        channels=32,
        depths_down=(1, 1),
        depths_up=(1, 1),
        patch_size=2,
        drop_path_prob=0.0,
    ),
    feed=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(
    name="VMRNN-D (small)",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7",
    claimed=dict(),  # of this size nothing is published
)
