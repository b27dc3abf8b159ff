"""The U-Net of the ensembles as a deterministic net, on branching motion, trained equally long."""

_base_ = [
    "../_base_/benchmarks/branching_motion_4to4.py",
    "../_base_/schedules/adam_onecycle.py",
    "../_base_/runtime.py",
]

model = dict(
    type="DirectForecast",
    net=dict(
        type="DeterministicDenoiser",
        net=dict(
            type="DenoisingUNet", in_channels=1, num_inputs=4, num_targets=4, widths=(16, 32, 32)
        ),
    ),
    loss=dict(type="L2"),
    data_preprocessor=dict(type="SequencePreprocessor", mean=0.025, std=0.12),
)

train_cfg = dict(max_epochs=48, val_interval=24)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [dict(**_base_.cycle, eta_max=4e-3), _base_.momentum]

source = dict(name="U-Net (one forecast)", paper="", code="own", claimed=dict())
