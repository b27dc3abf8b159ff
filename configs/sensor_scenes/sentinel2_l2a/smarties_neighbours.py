"""Nearest neighbours of SMARTIES on scenes of Sentinel-2."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_sentinel2_l2a.py",
    "../../_base_/tasks/sensor_scenes_smarties_neighbours.py",
]

bank = dict(bank=dict(**_base_.dataset, split="train"), per_class=3)
val_cfg = dict(type="NeighbourValLoop", **bank)
test_cfg = dict(type="NeighbourTestLoop", **bank)
