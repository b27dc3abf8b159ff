"""Structural similarity of frames for any window."""

import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.metrics.frames import as_float, frame_sum
from openstl_ext.metrics.windows import Window, check_window, local_sums

# Pixels per chunk on a CPU, so that the maps of a chunk stay in a cache of one or two megabytes.
CHUNK = 40_960


def similarity(
    forecast: Tensor,
    target: Tensor,
    *,
    window: Window,
    data_range: float | Tensor = 1.0,
    valid: Tensor | None = None,
    volume: bool = False,
) -> tuple[Tensor, Tensor]:
    """Sum the structural similarity over the windows of each frame, and count the windows.

    Args:
        forecast: Predicted frames.
        target: Observed frames.
        window: Neighbourhood of the local statistics.
        data_range: Range of the values, of all frames or of each.
        valid: True where both are valid; only windows without an invalid pixel count. None means
            everywhere.
        volume: Let the window extend over channels too, instead of scoring each channel.

    Shape:
        - forecast, target, valid: (T, C, H, W); data_range: a number or (T,).
        - returns: two of (T,), float64.

    Raises:
        ShapeError: If a frame is smaller than the window.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity
        (2004), with K1 = 0.01 and K2 = 0.03.
    """
    axes = 3 if volume else 2
    check_window(forecast, window, axes)
    forecast, target = as_float(forecast), as_float(target)
    step = len(forecast) if forecast.is_cuda else max(1, CHUNK // forecast[0].numel())
    totals, counts = [], []
    for first in range(0, len(forecast), step):
        part = slice(first, first + step)
        trusted = None if valid is None else valid[part]
        span = data_range
        if isinstance(span, Tensor):
            span = span[part].view(-1, 1, 1, 1)
        found = _map(forecast[part], target[part], trusted, span, window, axes)
        if trusted is None:
            count = found.new_full(found.shape[:1], found[0].numel(), dtype=torch.float64)
        else:
            whole = _wholly_valid(trusted, window.size, axes)
            found, count = torch.where(whole, found, 0.0), frame_sum(whole)
        totals.append(frame_sum(found))
        counts.append(count)
    return torch.cat(totals), torch.cat(counts)


def _map(
    forecast: Tensor,
    target: Tensor,
    valid: Tensor | None,
    span: float | Tensor,
    window: Window,
    axes: int,
) -> Tensor:
    """Similarity under each window.

    Second moments cancel in float32, so each frame is centred first: that leaves the spread as it
    is and makes the moments small. Sum and difference take the place of the two frames, which
    saves a map and keeps the small difference of a good forecast exact:
    var(x) + var(y) = (var(x+y) + var(x-y)) / 2 and 2 cov(x, y) = (var(x+y) - var(x-y)) / 2, and
    the same for products of means. All is left at twice its size, the constants too.
    """
    x, x_centre = _centred(forecast, valid, axes)
    y, y_centre = _centred(target, valid, axes)
    maps = x.new_empty(4, *x.shape)
    torch.add(x, y, out=maps[0])
    torch.sub(x, y, out=maps[1])
    torch.mul(maps[:2], maps[:2], out=maps[2:])
    sums = local_sums(maps, window, axes)

    mass: float = window.mass(axes)
    centres = torch.stack([x_centre + y_centre, x_centre - y_centre])
    level = torch.add(centres, sums[:2], alpha=1 / mass).square_()
    spread = torch.addcmul(sums[2:], sums[:2], sums[:2], value=-1 / mass)  # times the mass
    if window.sample_covariance:
        mass *= 1 - 1 / window.size**axes
    faint, dim = 2 * (0.01 * span) ** 2, 2 * mass * (0.03 * span) ** 2
    likeness = (level[0] - level[1]).add_(faint).mul_((spread[0] - spread[1]).add_(dim))
    bound = (level[0] + level[1]).add_(faint).mul_((spread[0] + spread[1]).add_(dim))
    return likeness.div_(bound)


def _centred(frames: Tensor, valid: Tensor | None, axes: int) -> tuple[Tensor, Tensor]:
    """Frames less their mean over what is valid; and the means, of each channel or of all."""
    if valid is None:
        centre = _mean(frames, axes)
        return frames - centre, centre
    share = _mean(valid.to(frames.dtype), axes)
    centre = _mean(torch.where(valid, frames, 0.0), axes) / torch.where(share > 0, share, 1.0)
    return frames - centre, centre  # what a gap holds reaches only windows that do not count


def _mean(frames: Tensor, axes: int) -> Tensor:
    """Mean over the last axes, one by one: the same bits with any number of threads."""
    for axis in range(-1, -axes - 1, -1):
        frames = frames.mean(axis, keepdim=True)
    return frames


def _wholly_valid(valid: Tensor, size: int, axes: int) -> Tensor:
    """Which windows hold no gap."""
    gap = (~valid).float()
    if axes == 2:
        return F.max_pool2d(gap, size, stride=1) == 0
    return F.max_pool3d(gap, size, stride=1) == 0
