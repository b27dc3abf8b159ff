"""Nearest neighbours of an encoder with random weights on synthetic scenes."""

_base_ = [
    "../models/spectral_vit_miniature.py",
    "../runtime_encoder.py",
]

model = dict(type="NearestNeighbours", net=dict(type="SpectralViT", **_base_.vit), num_classes=10)

source = dict(
    name="Random weights, k-NN",
    paper="arXiv:2506.19585",
    code="gsumbul/SMARTIES@fc0df04",
    claimed=dict(),  # nothing is published for this size
)
