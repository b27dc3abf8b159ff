"""EDM diffusion with a small U-Net on branching motion; trains on a CPU in minutes."""

_base_ = [
    "../_base_/models/edm_unet.py",
    "../_base_/benchmarks/branching_motion_4to4.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, num_inputs=4, num_targets=4, widths=(16, 32, 32)),
    data_preprocessor=dict(type="SequencePreprocessor", mean=0.025, std=0.12),
)

train_cfg = dict(max_epochs=48, val_interval=24)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [dict(**_base_.cycle, eta_max=4e-3), _base_.momentum]
