"""Linear probe of SMARTIES on scenes of Sentinel-1."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_sentinel1_grd.py",
    "../../_base_/tasks/sensor_scenes_smarties_linear_probe.py",
]

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
