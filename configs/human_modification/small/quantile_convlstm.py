"""Small quantile ConvLSTM for the HM miniature, direct; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/human_modification_miniature_direct.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
]

model = dict(
    type="MultiHorizonRegression",
    strategy="direct",
    net=dict(
        type="QuantileConvLSTM",
        hidden_channels=16,
        kernel_size=3,
        num_layers=1,
        dynamic_channels=10,
        static_channels=7,
        location_channels=4,
        harmonic_degrees=4,
        location_hidden=16,
        num_horizons=4,
        crossing="forbid",
    ),
    quantile_levels=(0.025, 0.975),
    terms=dict(
        mse=dict(loss=dict(type="L2"), of="change"),
        ssim=dict(loss=dict(type="StructuralDissimilarity"), weight=0.2),
        laplacian=dict(loss=dict(type="LaplacianPyramid", levels=3), weight=1.0),
        histogram=dict(
            loss=dict(type="ChangeHistogram"),
            weight=0.67,
            of="data_change",
            start_iteration=100,
        ),
        lower=dict(loss=dict(type="Pinball", quantile=0.025), of=0.025),
        upper=dict(loss=dict(type="Pinball", quantile=0.975), of=0.975),
    ),
)

train_cfg = dict(max_epochs=60)
optim_wrapper = dict(optimizer=dict(lr=5e-3))
custom_hooks = [
    dict(type="BaselinesHook", nets=[dict(type="Persistence"), dict(type="LinearExtrapolation")]),
    dict(type="ConformalCalibrationHook", dataset=dict(split="calibration")),
    dict(type="ForecastFigureHook"),
    dict(type="ResultHook"),
]

source = dict(
    name="Quantile ConvLSTM (direct, small)",
    paper="Theobald et al. 2025, Sci Data 12:606",
    code="GMoncrieff/spatio-temporal@d765a15",
    claimed=dict(),  # nothing is published for this size
)
