"""VMRNN-D on KTH, 10 to 40 frames, recipe of VMRNN-B on KTH."""

_base_ = [
    "../_base_/models/vmrnn_d.py",
    "../_base_/benchmarks/kth_10to40.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, channels=128, depths_down=(2, 2), depths_up=(2, 2), patch_size=2),
    recompute_steps=True,  # without it, all steps of one sample take more than 12 GB
)

# No recipe of VMRNN-D is published for KTH: the depths are those of the MSE recipe on
# Moving MNIST, the rest is as for VMRNN-B.
train_cfg = dict(max_epochs=100)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_dataloader = dict(batch_size=1)
