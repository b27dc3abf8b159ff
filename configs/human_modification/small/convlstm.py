"""Small autoregressive ConvLSTM for the HM miniature; trains on a CPU in minutes."""

_base_ = [
    "../../_base_/benchmarks/human_modification_miniature_simple.py",
    "../../_base_/schedules/adam_cosine.py",
    "../../_base_/runtime.py",
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
        ssim=dict(loss=dict(type="StructuralDissimilarity"), weight=0.2),
    ),
)

train_cfg = dict(max_epochs=60)
optim_wrapper = dict(optimizer=dict(lr=5e-3))
custom_hooks = [
    dict(type="BaselinesHook", nets=[dict(type="Persistence"), dict(type="LinearExtrapolation")]),
    dict(type="ForecastFigureHook"),
    dict(type="ResultHook"),
]

source = dict(
    name="ConvLSTM (step by step, small)",
    paper="Theobald et al. 2025, Sci Data 12:606",
    code="GMoncrieff/spatio-temporal@4eb523d",
    claimed=dict(),  # nothing is published for this size
)
