"""Arithmetic on frames with gaps, shared by metrics."""

import torch
from torch import Tensor

from openstl_ext.structures import Sample


def frame_sum(field: Tensor) -> Tensor:
    """Sum each frame in float64.

    One axis after the other: a sum over all of them at once is split among threads, and would
    then depend in its last bit on how many there are.

    Shape:
        - field: (T, C, H, W); returns: (T,).
    """
    return field.sum(dim=-1, dtype=torch.float64).sum(dim=-1).sum(dim=-1)


def sum_over_valid(error: Tensor, valid: Tensor) -> Tensor:
    """Sum the valid pixels of each frame; what the others hold does not matter, NaN included.

    Shape:
        - error, valid: (T, C, H, W); returns: (T,).
    """
    return frame_sum(torch.where(valid, error, 0.0))  # a product would keep the NaN


def signed_error(sample: Sample) -> Tensor:
    """Forecast less truth, of each pixel (T, C, H, W)."""
    return sample["forecast"] - sample["target"]


def squared_error(sample: Sample) -> Tensor:
    """Squared error of each pixel (T, C, H, W)."""
    return signed_error(sample).square()


def absolute_error(sample: Sample) -> Tensor:
    """Absolute error of each pixel (T, C, H, W)."""
    return signed_error(sample).abs()


def clipped(frames: Tensor, clip: tuple[float, float] | None) -> Tensor:
    """Frames held within bounds, or as they are; NaN stays NaN."""
    return frames if clip is None else frames.clamp(*clip)


def value_range(frames: Tensor, valid: Tensor) -> Tensor:
    """Largest less smallest valid value of each frame; NaN if one is, minus infinity if none is.

    Shape:
        - frames, valid: (T, C, H, W); returns: (T,).
    """
    frame = (1, 2, 3)
    top = torch.where(valid, frames, -torch.inf).amax(dim=frame)
    return top - torch.where(valid, frames, torch.inf).amin(dim=frame)
