"""VMRNN-D on TaxiBJ, recipe of VMRNN-B on TaxiBJ, 200 epochs."""

_base_ = [
    "../_base_/models/vmrnn_d.py",
    "../_base_/benchmarks/taxibj_4to4.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=2, channels=128, depths_down=(2, 2), depths_up=(2, 2), patch_size=2),
)

# No recipe of VMRNN-D is published for TaxiBJ: the depths are those of the MSE recipe on
# Moving MNIST, the rest is as for VMRNN-B.
train_cfg = dict(max_epochs=200)
optim_wrapper = dict(optimizer=dict(lr=4e-4))
