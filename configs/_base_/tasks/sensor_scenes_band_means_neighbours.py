"""Nearest neighbours of the mean values of the bands on synthetic scenes."""

_base_ = [
    "../runtime_encoder.py",
]

model = dict(type="NearestNeighbours", net=dict(type="BandMeans"), num_classes=10)

source = dict(
    name="Band means, k-NN",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
