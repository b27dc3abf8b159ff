"""Linear probe of the mean values of the bands on synthetic scenes."""

_base_ = [
    "../schedules/adamw_linear_probing_small.py",
    "../runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="BandMeans"),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    frozen=True,
    standardises_features=True,
)

custom_hooks = [*_base_.custom_hooks, dict(type="CachedFeaturesHook")]

source = dict(
    name="Band means, linear probe",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
