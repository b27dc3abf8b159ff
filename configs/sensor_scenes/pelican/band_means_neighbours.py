"""Nearest neighbours of the mean values of the bands on scenes of a sensor without pairs."""

_base_ = [
    "../../_base_/benchmarks/sensor_scenes_pelican.py",
    "../../_base_/runtime_encoder.py",
]

model = dict(
    type="NearestNeighbours", net=dict(type="BandMeans", num_bands=24), num_classes=10, k=5
)

bank = dict(**_base_.dataset, split="train")
val_cfg = dict(type="NeighbourValLoop", bank=bank)
test_cfg = dict(type="NeighbourTestLoop", bank=bank)

source = dict(
    name="Band means, k-NN",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
