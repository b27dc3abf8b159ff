"""Weighted means under a Gaussian window, which several criteria look through."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def gaussian_weights(size: int, sigma: float) -> Tensor:
    """Weights along one side of a window, summing to 1; sigma in pixels.

    Shape:
        - returns: (size,).
    """
    density = [math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2) for i in range(size)]
    return torch.tensor(density) / sum(density)


def blur(maps: Tensor, weights: Tensor, *, padding: int = 0) -> Tensor:
    """Weighted mean under each window, one axis after the other.

    Always in float32: second moments that autocast rounds to bf16 are noise.

    Args:
        maps: What is blurred.
        weights: Along each side of the window.
        padding: Zeros put around a map first.

    Shape:
        - maps: (N, 1, H, W); weights: (S,); returns: H and W longer by 2 * padding - (S - 1).
    """
    with torch.autocast(maps.device.type, enabled=False):
        rows = F.conv2d(maps, weights.view(1, 1, 1, -1), padding=(0, padding))
        return F.conv2d(rows, weights.view(1, 1, -1, 1), padding=(padding, 0))
