"""Linear probe of the mean values of the bands on scenes of a sensor without pairs."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_pelican.py",
    "../../_base_/schedules/adamw_linear_probing_small.py",
    "../../_base_/runtime_encoder.py",
]

model = dict(
    type="Classification",
    net=dict(type="BandMeans", num_bands=24),
    num_classes=10,
    loss=dict(type="CrossEntropy"),
    frozen=True,
    standardises_features=True,
)

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
custom_hooks = [*_base_.custom_hooks, dict(type="CachedFeaturesHook")]

source = dict(
    name="Band means, linear probe",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
