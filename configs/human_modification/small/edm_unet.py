"""EDM diffusion of the change with a small U-Net for the HM miniature; minutes on a CPU."""

_base_ = [
    "../../_base_/benchmarks/human_modification_miniature_ensemble.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

# the past: the maps, ten dynamic and seven static covariates
model = dict(
    type="FlowForecast",
    objective="edm",
    num_steps=12,
    num_members=8,
    of="change",
    data_std=0.8,
    net=dict(
        type="DenoisingUNet",
        in_channels=1,
        num_inputs=3,
        num_targets=4,
        condition_channels=18,
        widths=(32, 64, 64),
    ),
)

train_cfg = dict(max_epochs=60, val_interval=20)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
custom_hooks = [
    dict(type="BaselinesHook", nets=[dict(type="Persistence"), dict(type="LinearExtrapolation")]),
    dict(type="ResultHook"),
]

source = dict(
    name="EDM (U-Net, small)",
    paper="arXiv:2206.00364",
    code="own",
    claimed=dict(),  # nothing is published for this net
)
