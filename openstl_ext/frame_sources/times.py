"""Times of frames, from a coordinate of a file."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.libraries import library

Times = NDArray[np.datetime64]
EARLIEST, LATEST = 1000, 3000
"""Years that numbers of an axis called ``year`` may be."""


def decode_times(
    values: NDArray[Any], attrs: Mapping[str, Any], *, name: str, path: Path, kind: str = "netCDF"
) -> Times | None:
    """Return the times of a coordinate; None for numbers without a unit of time.

    Args:
        values: The numbers.
        attrs: Attributes of the coordinate: ``units``, as in ``days since 2000-01-01``, and
            ``calendar``.
        name: The coordinate, for messages.
        path: The file, for messages.
        kind: Its format, a key of ``PACKAGES``.

    Raises:
        DataError: If the calendar is not that of dates, or a time is missing or not after the one
            before.
    """
    times = _dates(values, attrs, name, path, kind)
    checked = values if times is None else times
    check_ascending(checked, place=f"{path}: {name}")
    return times


def check_ascending(times: NDArray[Any], *, place: str) -> None:
    """Refuse times that do not ascend.

    Args:
        times: Times, or numbers.
        place: File and coordinate, for the message.

    Raises:
        DataError: With both dates and their positions.
    """
    if times.dtype.kind not in "Mfiu" or times.ndim != 1:
        return
    missing = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    if missing.any():
        raise DataError(f"{place} has no value at position {missing.argmax()}; fill it in")
    if (wrong := times[1:] <= times[:-1]).any():
        k = int(wrong.argmax())
        raise DataError(
            f"{place}: dates out of order, {_shown(times[k])} at position {k} is followed by "
            f"{_shown(times[k + 1])}; sort the frames by time, and keep one of each, for example "
            "with xarray: data.sortby(...).drop_duplicates(...)"
        )


def _dates(
    values: NDArray[Any], attrs: Mapping[str, Any], name: str, path: Path, kind: str
) -> Times | None:
    units = str(attrs.get("units", ""))
    if " since " not in units:
        is_year = name.lower() in ("year", "years") and values.dtype.kind in "iuf"
        if is_year and values.size and values.min() >= EARLIEST and values.max() <= LATEST:
            return (values.astype(np.int64) - 1970).astype("datetime64[Y]")
        return None
    xr = library("xarray", kind=kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xarray warns of calendars, which are refused below
        try:
            coordinate = xr.Variable(("t",), values, dict(attrs))
            decoded = np.asarray(xr.conventions.decode_cf_variable(name, coordinate).values)
        except (ValueError, OverflowError, TypeError):
            decoded = np.empty(0, object)
    if decoded.dtype.kind != "M":
        raise DataError(
            f"{path}: the times in {name} ({units}, calendar "
            f"{attrs.get('calendar', 'standard')}) are not dates of the standard calendar after "
            "1582; convert them, for example with `cdo setreftime,1970-01-01,00:00 -setcalendar,"
            f"standard {path.name} new.nc`"
        )
    return decoded


def _shown(time: Any) -> str:
    """Return a time without zeros at its end."""
    if not isinstance(time, np.datetime64):
        return f"{time:g}"
    text = str(np.datetime_as_string(time, unit="s" if time.dtype != "datetime64[Y]" else None))
    return text.removesuffix("T00:00:00")
