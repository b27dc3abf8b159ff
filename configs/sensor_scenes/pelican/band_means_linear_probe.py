"""Linear probe of the mean values of the bands on scenes of a sensor without pairs."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_pelican.py",
    "../../_base_/tasks/sensor_scenes_band_means_linear_probe.py",
]

model = dict(net=dict(num_bands=24))

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
