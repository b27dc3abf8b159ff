"""Which colour a value has."""

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, Normalize, to_rgb
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest

DIVERGING = "RdBu_r"
MISSING = ("#9a9a9a", "#e754c4", "#3fae49")
"""Colours of what is missing, the most quiet first."""


def colormaps(name: str) -> tuple[Colormap, Colormap, str]:
    """The map of values, the map of differences, and a colour that neither of them has.

    Args:
        name: Any map of matplotlib.

    Raises:
        UserError: If there is no such map; it proposes the nearest.
    """
    if name not in matplotlib.colormaps:
        ours = [known for known in matplotlib.colormaps if not known.endswith("_r")]
        raise UserError(f"there is no colormap {name!r}; {nearest(name, ours)}")
    values, differences = (matplotlib.colormaps[n] for n in (name, DIVERGING))
    used = np.concatenate([m(np.linspace(0, 1, 64))[:, :3] for m in (values, differences)])
    away = [np.abs(used - to_rgb(color)).sum(axis=1).min() for color in MISSING]
    # the quiet grey, unless a map comes near it
    missing = next((c for c, d in zip(MISSING, away, strict=True) if d > 0.25), MISSING[1])
    return values.with_extremes(bad=missing), differences.with_extremes(bad=missing), missing


def shared(*arrays: NDArray[np.float32]) -> Normalize:
    """One scale from the least to the greatest value of all arrays; NaN and infinities aside."""
    known = [a[np.isfinite(a)] for a in arrays]
    low = min((float(k.min()) for k in known if k.size), default=0.0)
    high = max((float(k.max()) for k in known if k.size), default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-30):  # a constant needs some room
        room = 0.5 * abs(high) or 0.5
        low, high = low - room, high + room
    return Normalize(low, high)


def centred(difference: NDArray[np.float32]) -> Normalize:
    """A scale with 0 in its middle."""
    known = np.abs(difference[np.isfinite(difference)])
    limit = float(known.max()) if known.size and known.max() > 0 else 1.0
    return Normalize(-limit, limit)
