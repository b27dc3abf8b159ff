"""VMRNN-B on TaxiBJ, recipe of its script for one GPU, 200 epochs."""

_base_ = [
    "../_base_/models/vmrnn_b.py",
    "../_base_/benchmarks/taxibj_4to4.py",
    "../_base_/schedules/adam_cosine.py",
    "../_base_/runtime.py",
]

model = dict(net=dict(in_channels=2, channels=128, depths=(12,), patch_size=4))

train_cfg = dict(max_epochs=200)
optim_wrapper = dict(optimizer=dict(lr=4e-4))

source = dict(
    claimed=dict(mse_sum=0.2887, mae_sum=14.69, ssim_openstl=0.9858),  # as a later paper cites it
)
