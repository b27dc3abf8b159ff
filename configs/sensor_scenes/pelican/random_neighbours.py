"""Nearest neighbours of an encoder with random weights on scenes of a sensor without pairs."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_pelican.py",
    "../../_base_/tasks/sensor_scenes_random_neighbours.py",
]

model = dict(net=dict(sensors=["data/sensor_scenes/pelican.json"]))

bank = dict(bank=dict(**_base_.dataset, split="train"), per_class=3)
val_cfg = dict(type="NeighbourValLoop", **bank)
test_cfg = dict(type="NeighbourTestLoop", **bank)
