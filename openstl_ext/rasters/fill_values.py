"""Fill values: numbers that customarily mean "no data", where no nodata value is declared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

HUGE = 1e18
"""No quantity in a customary unit is as large; netCDF fills with 1e20 and 9.97e36, others with the
largest float."""
LOW = (-999.0, -9999.0, -99999.0, -999999.0, -32767.0, -32768.0, -2147483648.0)
HIGH = (32767.0, 65535.0, 2147483647.0, 4294967295.0)
"""Largest numbers of types; also the value of a saturated pixel, so one alone means nothing."""
ISOLATION = 0.1
"""A fill value is this far from all other values, as a share of itself."""
HIGH_SHARE = 0.01
"""Smallest share of the pixels for a value of ``HIGH``."""


def find_fill(known: NDArray[Any]) -> float | None:
    """Return a value that is very probably a fill value; None if there is none.

    Args:
        known: Stored numbers that no nodata value or mask hides, of any real type.
    """
    known = known[np.isfinite(known)] if known.dtype.kind == "f" else known
    if not known.size:
        return None
    lowest, highest = known.min(), known.max()
    low, high = float(lowest), float(highest)
    for end in (low, high):
        if abs(end) >= HUGE:
            return end
    if low in LOW:
        nearest = float(known.min(where=known > lowest, initial=highest))
        if nearest == low or nearest - low > ISOLATION * abs(low):
            return low
    if high in HIGH and (known == highest).mean() >= HIGH_SHARE:
        nearest = float(known.max(where=known < highest, initial=lowest))
        if nearest == high or high - nearest > ISOLATION * high:
            return high
    return None


def may_have_fill(values: NDArray[np.float32], scale: float, offset: float) -> bool:
    """Return whether the ends of values, NaN where missing, could be fill values.

    Args:
        values: The values of any number of bands.
        scale: A value is a stored number times this, plus the offset.
        offset: Added after scaling.
    """
    ends = [float(f.reduce(values, axis=None)) for f in (np.fmin, np.fmax)] if values.size else []
    stored = [(end - offset) / scale for end in ends if scale]
    return any(number < 0.99 * LOW[0] or number > 0.99 * HIGH[0] for number in stored)


def check_fill(known: NDArray[Any], *, place: str, declare: str) -> None:
    """Refuse values that contain a fill value.

    Args:
        known: Stored numbers that no nodata value or mask hides.
        place: File, band and pixels, for the message.
        declare: How to declare a nodata value, for the message.

    Raises:
        DataError: With the value and the number of pixels.
    """
    if (value := find_fill(known)) is not None:
        count = int((known == value).sum())
        raise DataError(
            f"{place}: {count} of {known.size} pixels are {value:.9g}, a customary fill value that "
            f"is not declared as nodata; {declare}"
        )
