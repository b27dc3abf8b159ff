"""VMRNN-B on Moving MNIST, recipe of VMRNN-D: MSE + L1, half precision."""

_base_ = [
    "../_base_/models/vmrnn_b.py",
    "../_base_/benchmarks/moving_mnist_10to10.py",
    "../_base_/schedules/adam_constant.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, channels=128, depths=(6,), patch_size=2),
    loss=dict(type="Sum", terms=[dict(type="L2"), dict(type="L1")]),
)

train_cfg = dict(max_epochs=500)
# Upstream: float16 with loss scaling, which needs a GPU; bfloat16 runs on any device
optim_wrapper = dict(type="AutocastOptimWrapper", dtype="bfloat16")
train_dataloader = dict(batch_size=8)

source = dict(code="yyyujintang/VMRNN-PyTorch@8e6cfb7, Moving_MNIST_VMRNN")
