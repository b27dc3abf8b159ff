"""Quantile ConvLSTM on HM at 1 km, direct: four horizons, each with an interval; 100 epochs.

The published recipe, except for: a spatial split that separates the chips of training and
validation; a differentiable histogram of change in units of the index, with equal weights of its
bins; intervals that are calibrated before the test, on separate blocks.
"""

_base_ = [
    "../_base_/benchmarks/human_modification_direct.py",
    "../_base_/schedules/adam_constant.py",
    "../_base_/runtime.py",
]

model = dict(
    type="MultiHorizonRegression",
    strategy="direct",
    net=dict(
        type="QuantileConvLSTM",
        hidden_channels=64,
        kernel_size=3,
        num_layers=2,
        dynamic_channels=10,
        static_channels=7,
        location_channels=8,
        harmonic_degrees=10,
        num_horizons=4,
        crossing="allow",
    ),
    quantile_levels=(0.025, 0.975),
    terms=dict(
        mse=dict(loss=dict(type="L2"), of="change"),
        # of normalised maps with the constants of a range of 1, as published; scores use data units
        ssim=dict(loss=dict(type="StructuralDissimilarityTorchmetrics"), weight=2.0),
        laplacian=dict(loss=dict(type="LaplacianPyramid", levels=3), weight=1.0),
        histogram=dict(
            loss=dict(type="ChangeHistogram"),
            weight=0.67,
            of="data_change",
            start_iteration=20 * 25,  # from the twentieth epoch on
        ),
        lower=dict(loss=dict(type="Pinball", quantile=0.025), of=0.025),
        upper=dict(loss=dict(type="Pinball", quantile=0.975), of=0.975),
    ),
)

train_cfg = dict(max_epochs=100, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [
    dict(type="BaselinesHook", nets=[dict(type="Persistence"), dict(type="LinearExtrapolation")]),
    dict(type="ConformalCalibrationHook", dataset=dict(split="calibration")),
    dict(type="ForecastFigureHook"),
    dict(type="ResultHook"),
]

source = dict(
    name="Quantile ConvLSTM (direct)",
    paper="Theobald et al. 2025, Sci Data 12:606",
    code="GMoncrieff/spatio-temporal@d765a15",
    claimed=dict(),  # no scores are published
)
