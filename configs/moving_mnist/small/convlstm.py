"""Small ConvLSTM for the Moving MNIST miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/models/convlstm.py",
    "../../_base_/benchmarks/moving_mnist_miniature_10to10.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, hidden=(32, 32), patch_size=4),
    teacher_forcing=dict(rate=2e-3, stop=500),
)

train_cfg = dict(max_epochs=8)
optim_wrapper = dict(optimizer=dict(lr=2e-3))

source = dict(name="ConvLSTM (small)")
