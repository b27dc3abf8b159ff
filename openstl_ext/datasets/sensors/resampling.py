"""Resample parts of images by splines, as one matrix for each axis."""

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

Part = tuple[float, float, int]
"""First coordinate of a part, its extent, both in pixels, and the number of new pixels."""
NEGLIGIBLE = 1e-12
"""Weights below are 0."""


def resampled(
    image: NDArray[np.float32], down: Part, across: Part, *, order: int = 3
) -> np.ndarray:
    """Resample a part of an image, clipped to the range of each band.

    The same numbers as from scikit-image's ``resize``, which has no place for edges between pixels
    and takes several times as long for many bands.

    Args:
        image: Values without NaN.
        down: The part along the columns, from row to row.
        across: The part along the rows.
        order: Order of the spline: 1 is bilinear, 3 bicubic.

    Shape:
        - image: (C, H, W); returns: (C, new rows, new columns), float32.
    """
    height, width = image.shape[1:]
    left, right = (
        torch.from_numpy(weights(length, *part, order))
        for length, part in ((height, down), (width, across))
    )
    # with torch, whose workers of a loader have one thread each: those of NumPy have one for each
    # core, and wait for each other
    values = (left @ torch.from_numpy(np.ascontiguousarray(image)) @ right.T).numpy()
    low, high = (edge(image, axis=(1, 2), keepdims=True) for edge in (np.min, np.max))
    return np.clip(values, low, high)


@lru_cache(maxsize=16)
def weights(length: int, start: float, extent: float, size: int, order: int) -> NDArray[np.float32]:
    """Return the weight of each pixel of a line in each of ``size`` new pixels of a part of it.

    Where the part shrinks, a Gaussian filter comes first.

    Shape:
        - returns: (size, length).
    """
    step = extent / size
    lines = np.eye(length)
    if step > 1:
        lines = ndimage.gaussian_filter1d(lines, (step - 1) / 2, axis=0, mode="mirror")
    if length > 1 and order > 1:
        lines = ndimage.spline_filter1d(lines, order=order, axis=0, mode="mirror")
    centres = start + (np.arange(size) + 0.5) * step - 0.5
    first = np.floor(centres).astype(int)
    t = (centres - first)[:, None]
    basis = _linear(t) if order == 1 else _cubic(t)
    period = max(2 * (length - 1), 1)
    found = np.zeros((size, length))
    for offset, weight in basis.items():
        place = np.abs(first + offset) % period
        found += weight * lines[np.where(place < length, place, period - place)]
    # far from a pixel its weight in a spline is a denormal number, which is very slow to multiply
    found[np.abs(found) < NEGLIGIBLE] = 0
    return found.astype(np.float32)


def _linear(t: np.ndarray) -> dict[int, np.ndarray]:
    return {0: 1 - t, 1: t}


def _cubic(t: np.ndarray) -> dict[int, np.ndarray]:
    return {
        -1: (1 - t) ** 3 / 6,
        0: (3 * t**3 - 6 * t**2 + 4) / 6,
        1: (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        2: t**3 / 6,
    }
