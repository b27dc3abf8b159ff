"""Arithmetic on frames with gaps, shared by metrics."""

import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.structures import Sample


def as_float(numbers: Tensor) -> Tensor:
    """Return numbers in float32, or in float64 if they are.

    Half precision has too few digits for a difference, and bytes wrap around below 0.
    """
    return numbers if numbers.dtype == torch.float64 else numbers.float()


def map_sum(field: Tensor) -> Tensor:
    """Sum each map in float64.

    The axes are summed one after the other: a sum over all of them at once is split among
    threads, and its last bit would depend on their number.

    Shape:
        - field: (T, C, H, W); returns: (T, C).
    """
    return field.sum(dim=-1, dtype=torch.float64).sum(dim=-1)


def frame_sum(field: Tensor) -> Tensor:
    """Sum each frame in float64, (T, C, H, W) to (T,)."""
    return map_sum(field).sum(dim=-1)


def area(sample: Sample) -> Tensor:
    """Return the area weight of each valid pixel and 0 elsewhere, (T, C, H, W)."""
    return torch.where(sample["valid"], sample["weight"], 0.0)


def weighted(error: Tensor, sample: Sample) -> Tensor:
    """Multiply an error (T, C, H, W) by the area of its pixels; invalid pixels become 0."""
    return torch.where(sample["valid"], error * sample["weight"], 0.0)  # a product keeps NaN


def signed_error(sample: Sample) -> Tensor:
    """Forecast minus target of each pixel (T, C, H, W)."""
    return as_float(sample["forecast"]) - as_float(sample["target"])


def squared_error(sample: Sample) -> Tensor:
    """Squared error of each pixel (T, C, H, W)."""
    return signed_error(sample).square()


def absolute_error(sample: Sample) -> Tensor:
    """Absolute error of each pixel (T, C, H, W)."""
    return signed_error(sample).abs()


def clip_range(clip: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the range of a metric's ``clip``.

    Raises:
        ConfigError: If its ends are equal or swapped, which would set all values to one.
    """
    if clip is not None and not clip[0] < clip[1]:
        raise ConfigError(f"clip={tuple(clip)} of a metric must be (lower, upper)")
    return clip


def clipped(frames: Tensor, clip: tuple[float, float] | None) -> Tensor:
    """Clip frames to a range; None leaves their values unchanged. NaN stays NaN."""
    frames = as_float(frames)
    return frames if clip is None else frames.clamp(*clip)


def value_range(frames: Tensor, valid: Tensor) -> Tensor:
    """Return maximum minus minimum of each frame's valid values; NaN if one of them is NaN.

    A frame without valid values gets minus infinity.

    Shape:
        - frames, valid: (T, C, H, W); returns: (T,).
    """
    frame = (1, 2, 3)
    top = torch.where(valid, frames, -torch.inf).amax(dim=frame)
    return top - torch.where(valid, frames, torch.inf).amin(dim=frame)
