"""Weighted means under a Gaussian window."""

import math

import torch
from torch import Tensor


def gaussian_weights(size: int, sigma: float) -> Tensor:
    """Compute the weights along one side of a window, which sum to 1; sigma in pixels.

    Shape:
        - returns: (size,).
    """
    density = [math.exp(-0.5 * ((i - (size - 1) / 2) / sigma) ** 2) for i in range(size)]
    return torch.tensor(density) / sum(density)


def blur(maps: Tensor, weights: Tensor, *, padding: int = 0) -> Tensor:
    """Compute the weighted mean under each window.

    It is a product with a band matrix along each axis. On a CPU this is several times as fast as a
    convolution of one channel; on a GPU it is in float32, while convolutions round to TF32 by
    default. Second moments rounded to TF32, or to bf16 by autocast, are too inaccurate.

    Args:
        maps: Maps to blur.
        weights: Weights along each side of the window.
        padding: Number of zeros added around a map first.

    Shape:
        - maps: (..., H, W); weights: (S,); returns: H and W longer by 2 * padding - (S - 1).
    """
    height, width = maps.shape[-2:]
    with torch.autocast(maps.device.type, enabled=False):
        return _band(height, weights, padding) @ maps @ _band(width, weights, padding).T


def _band(length: int, weights: Tensor, padding: int) -> Tensor:
    """Build the matrix that applies a window at every position of a line.

    Shape:
        - returns: (length + 2 * padding - (S - 1), length).
    """
    size = len(weights)
    row = torch.arange(length + 2 * padding - (size - 1), device=weights.device).unsqueeze(1)
    tap = torch.arange(length, device=weights.device) - row + padding
    within = (tap >= 0) & (tap < size)
    return torch.where(within, weights[tap.clamp(0, size - 1)], 0.0)
