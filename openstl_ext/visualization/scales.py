"""Colour scales and colormaps."""

import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, Normalize, to_rgb
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.style import DIVERGING, MISSING

RANGE = re.compile(r"([\d.]+) *- *([\d.]+)")


def colormaps(name: str) -> tuple[Colormap, Colormap, str]:
    """Return the colormaps of values and differences, and a colour that is in neither.

    Args:
        name: Name of matplotlib's colormap.

    Raises:
        UserError: If there is no such colormap; the message proposes the nearest name.
    """
    values, differences, missing = with_missing(name, DIVERGING)
    return values, differences, missing


def with_missing(*names: str) -> Any:
    """Return colormaps, followed by the colour in which all of them draw missing data.

    Args:
        names: Names of matplotlib's colormaps.

    Raises:
        UserError: If there is no such colormap; the message proposes the nearest name.
    """
    for name in names:
        if name not in matplotlib.colormaps:
            ours = [known for known in matplotlib.colormaps if not known.endswith("_r")]
            raise UserError(f"there is no colormap {name!r}; {nearest(name, ours)}")
    maps = [matplotlib.colormaps[name] for name in names]
    used = np.concatenate([m(np.linspace(0, 1, 64))[:, :3] for m in maps])
    away = [np.abs(used - to_rgb(color)).sum(axis=1).min() for color in MISSING]
    # grey, unless a colormap has a colour near it
    missing = next((c for c, d in zip(MISSING, away, strict=True) if d > 0.25), MISSING[1])
    return (*(m.with_extremes(bad=missing) for m in maps), missing)


def shared(*arrays: NDArray[np.float32]) -> Normalize:
    """Return one scale from the smallest to the largest finite value of all arrays."""
    known = [a[np.isfinite(a)] for a in arrays]
    low = min((float(k.min()) for k in known if k.size), default=0.0)
    high = max((float(k.max()) for k in known if k.size), default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-30):  # a constant needs a range
        room = 0.5 * abs(high) or 0.5
        low, high = low - room, high + room
    return Normalize(low, high)


def centred(difference: NDArray[np.float32]) -> Normalize:
    """Return a scale that is symmetric about 0."""
    known = np.abs(difference[np.isfinite(difference)])
    limit = float(known.max()) if known.size and known.max() > 0 else 1.0
    return Normalize(-limit, limit)


def declared(unit: str) -> Normalize | None:
    """Return the scale of a unit such as ``0-1`` or ``0-10000``; None for other units."""
    found = RANGE.fullmatch(unit.strip())
    if found is None or float(found[1]) >= float(found[2]):
        return None
    return Normalize(float(found[1]), float(found[2]))


def between(
    arrays: Sequence[NDArray[np.float32]], percentiles: tuple[float, float] = (1, 99)
) -> Normalize:
    """Return one scale between two percentiles of the finite values of all arrays.

    A few outliers would otherwise leave one colour to all other values.
    """
    known = np.concatenate([a[np.isfinite(a)] for a in arrays])
    if not known.size:
        return shared(known)
    ends = np.percentile(known, percentiles)
    return shared(ends.astype(np.float32)) if ends[0] < ends[1] else shared(known)


def rgb_bytes(colors: Any) -> NDArray[np.uint8]:
    """Return colours between 0 and 1, or their names, as bytes.

    Shape:
        - colors: (..., 3) or (..., 4), or names (N,); returns: (..., 3).
    """
    if isinstance(colors, str):
        colors = [to_rgb(colors)]
    return np.rint(255 * np.clip(np.asarray(colors)[..., :3], 0, 1)).astype(np.uint8)
