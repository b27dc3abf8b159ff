"""Linear probe of an encoder with random weights on scenes of a sensor without pairs."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_pelican.py",
    "../../_base_/tasks/sensor_scenes_random_linear_probe.py",
]

model = dict(net=dict(sensors=["data/sensor_scenes/pelican.json"]))

train_dataloader = dict(**_base_.loader, dataset=dict(**_base_.dataset, split="train"))
