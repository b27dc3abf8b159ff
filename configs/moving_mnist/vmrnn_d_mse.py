"""Smaller VMRNN-D on Moving MNIST, recipe of its OpenSTL folder: MSE, full precision."""

_base_ = [
    "../_base_/models/vmrnn_d.py",
    "../_base_/benchmarks/moving_mnist_10to10.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, channels=128, depths_down=(2, 2), depths_up=(2, 2), patch_size=2),
)

train_cfg = dict(max_epochs=2000)
optim_wrapper = dict(optimizer=dict(lr=1e-4))

source = dict(name="VMRNN-D (MSE)")
