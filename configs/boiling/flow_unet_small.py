"""Flow matching with a small U-Net on boiling, 32 x 32; trains on a CPU in minutes."""

_base_ = [
    "../_base_/models/flow_unet.py",
    "../_base_/benchmarks/boiling_small_ensemble_10to10.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    net=dict(in_channels=1, num_inputs=10, num_targets=10, widths=(32, 64, 64)),
    data_preprocessor=dict(type="SequencePreprocessor", mean=0.5, std=0.25),
)

train_cfg = dict(max_epochs=80, val_interval=20)
param_scheduler = [dict(**_base_.cycle, eta_max=3e-3), _base_.momentum]
