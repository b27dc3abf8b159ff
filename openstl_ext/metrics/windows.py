"""Weighted sums under a sliding window, by sums of shifted copies.

A convolution spends as much on a window of equal weights as on any other, and torch's plain one on
a CPU is slower than scikit-image's filter. Shifted sums need four additions for seven pixels, and
one long row serves all frames at once: what runs over the end of a line is not a window, and is
cut off at the end.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from openstl_ext.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class Window:
    """The neighbourhood over which local statistics are taken.

    Args:
        size: Side, in pixels; odd, 3 or more.
        weights: Weight of each pixel along a side, summing to 1; None for weights of 1.
        sample_covariance: Divide second moments by n - 1, as a sample does, and not by n.
    """

    size: int
    weights: tuple[float, ...] | None = None
    sample_covariance: bool = False

    def mass(self, axes: int) -> int:
        """Sum of all weights where the window extends over so many axes."""
        return self.size**axes if self.weights is None else 1


def gaussian(*, size: int, sigma: float) -> Window:
    """A window whose weights fall off as a normal density; sigma in pixels."""
    density = [math.exp(-0.5 * ((i - size // 2) / sigma) ** 2) for i in range(size)]
    return Window(size=size, weights=tuple(d / sum(density) for d in density))


def check_window(frames: Tensor, window: Window, axes: int) -> None:
    """Raise an error unless a window fits into frames (T, C, H, W).

    Raises:
        ShapeError: If one of the last axes is shorter.
    """
    if min(frames.shape[-axes:]) < window.size:
        raise ShapeError(
            f"structural similarity needs frames of at least {window.size} pixels per side, but a "
            f"frame is {tuple(frames.shape[1:])} (C, H, W); use a metric without a window"
        )


def local_sums(maps: Tensor, window: Window, axes: int) -> Tensor:
    """Weighted sum under each window that lies wholly within a map.

    Args:
        maps: Contiguous.
        window: Whose weights are taken along each axis.
        axes: How many of the last axes the window extends over.

    Shape:
        - maps: (..., D_1, ..., D_axes); returns: each D shortened by ``window.size - 1``, not
          contiguous.
    """
    row = maps.view(-1)
    for stride in maps.stride()[-axes:]:
        if window.weights is None:
            row = _summed(row, window.size, stride)
        else:
            row = _weighted(row, window.weights, stride)
    outer, inner = maps.shape[:-axes], maps.shape[-axes:]
    return row.as_strided((*outer, *(d - window.size + 1 for d in inner)), maps.stride())


def _summed(row: Tensor, size: int, stride: int) -> Tensor:
    """Sums of ``size`` elements ``stride`` apart, put together from sums of 1, 2, 4 ..."""
    reach = row.numel() - (size - 1) * stride
    parts: list[Tensor] = []  # that `size` is the sum of
    length, covered = 1, 0
    while True:
        if size & length:
            parts.append(row[covered * stride :][:reach])
            covered += length
        if covered == size:
            break
        row = row[: -length * stride] + row[length * stride :]
        length *= 2
    total = parts[0] + parts[1]  # an odd size has two parts or more
    for part in parts[2:]:
        total += part
    return total


def _weighted(row: Tensor, weights: tuple[float, ...], stride: int) -> Tensor:
    """Weighted sums of elements ``stride`` apart."""
    reach = row.numel() - (len(weights) - 1) * stride
    total = row[:reach] * weights[0]
    for step, weight in enumerate(weights[1:], start=1):
        total.add_(row[step * stride :][:reach], alpha=weight)
    return total
