"""Small VMRNN-B for the Moving MNIST miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/models/vmrnn_b.py",
    "../../_base_/benchmarks/moving_mnist_miniature_10to10.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, channels=32, depths=(2,), patch_size=8, drop_path_prob=0.0),
)

train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(name="VMRNN-B (small)", code="yyyujintang/VMRNN-PyTorch@8e6cfb7")
