"""ConvLSTM on HM at 1 km, autoregressive: the next map from three and elevation; 20 epochs.

The published recipe, except for the evaluation: on chips of a spatial split that are not used in
training; structural similarity is scored only for windows without a gap.
"""

_base_ = [
    "../_base_/benchmarks/human_modification_simple.py",
    "../_base_/schedules/adam_constant.py",
    "../_base_/runtime.py",
]

model = dict(
    type="MultiHorizonRegression",
    strategy="autoregressive",
    net=dict(
        type="CovariateConvLSTM",
        hidden_channels=16,
        kernel_size=3,
        num_layers=1,
        static_channels=1,
    ),
    terms=dict(
        mse=dict(loss=dict(type="L2")),
        # of normalised maps with the constants of a range of 1, as published; scores use data units
        ssim=dict(loss=dict(type="StructuralDissimilarityTorchmetrics"), weight=0.2),
    ),
)

train_cfg = dict(max_epochs=20, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [
    dict(type="BaselinesHook", nets=[dict(type="Persistence"), dict(type="LinearExtrapolation")]),
    dict(type="ForecastFigureHook"),
    dict(type="ResultHook"),
]

source = dict(
    name="ConvLSTM (step by step)",
    paper="Theobald et al. 2025, Sci Data 12:606",
    code="GMoncrieff/spatio-temporal@4eb523d",
    claimed=dict(),  # no scores are published
)
