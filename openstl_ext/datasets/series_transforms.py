"""What is done to a series of images after reading: gaps filled, squares turned."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def fill_from_years(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give a missing value that of the nearest earlier year, else that of the nearest later.

    The rule is one of order, not of years that are counted: 1990 may fill 2011 if nothing lies
    between. What is missing in every year stays NaN.

    Args:
        frames: Values, oldest first, NaN where missing.

    Shape:
        - frames, returns: (T, C, H, W).
    """
    seen = ~np.isnan(frames)
    steps = np.arange(len(frames)).reshape(-1, 1, 1, 1)
    earlier = np.maximum.accumulate(np.where(seen, steps, -1), axis=0)
    last = len(frames)
    later = np.minimum.accumulate(np.where(seen, steps, last)[::-1], axis=0)[::-1]
    source = np.where(earlier >= 0, earlier, np.where(later < last, later, steps))
    return np.take_along_axis(frames, source, axis=0)


def draw_turn() -> tuple[bool, int]:
    """Whether to mirror, and how many quarter turns; each of the eight is as likely."""
    mirror, turns = torch.rand(2).tolist()
    return mirror < 0.5, int(turns * 4)


def turned(field: Tensor, mirror: bool, turns: int) -> Tensor:
    """A field (..., H, W), mirrored left to right or not, then turned by quarters."""
    return torch.rot90(field.flip(-1) if mirror else field, turns, dims=(-2, -1)).contiguous()
