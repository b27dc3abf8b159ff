"""A smaller VMRNN-D on Moving MNIST, by the recipe beside OpenSTL's: MSE, full precision."""

_base_ = [
    "../_base_/benchmarks/moving_mnist_10to10.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    type="RecurrentForecast",
    net=dict(
        type="VMRNND",
        in_channels=1,
        channels=128,
        depths_down=(2, 2),
        depths_up=(2, 2),
        patch_size=2,
        drop_path_prob=0.1,
    ),
    feed=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)

train_cfg = dict(max_epochs=2000)
optim_wrapper = dict(optimizer=dict(lr=1e-4))

source = dict(
    name="VMRNN-D (MSE)",
    paper="arXiv:2403.16536",
    code="yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl",
    claimed=dict(),  # nothing is published of this size
)
