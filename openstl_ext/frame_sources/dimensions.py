"""Which axis of frames a named dimension is, from its name and its coordinate's attributes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openstl_ext.errors import DataError

TIMES = ("time", "t", "times", "date", "datetime", "valid_time", "year", "month", "frame", "frames")
ROWS = (
    *("y", "lat", "latitude", "row", "rows", "northing", "south_north", "nlat", "rlat", "j", "h"),
    *("projection_y_coordinate", "grid_latitude", "yc"),
)
COLUMNS = (
    *("x", "lon", "longitude", "column", "columns", "col", "cols", "easting", "west_east", "nlon"),
    *("rlon", "i", "w", "width", "projection_x_coordinate", "grid_longitude", "long", "xc"),
)
LEVELS = (
    *("level", "levels", "lev", "plev", "pressure_level", "isobaricinhpa", "depth", "z", "height"),
    *("altitude", "pressure", "bottom_top"),
)
"""Dimensions of vertical levels, which are channels; the coordinate states the level."""
CHANNELS = ("channel", "channels", "c", "band", "bands", "variable", "feature", "features")
SEQUENCES = ("sample", "samples", "n", "sequence", "sequences", "event", "case", "batch")

BY_NAME = {
    **dict.fromkeys(TIMES, "T"),
    **dict.fromkeys(ROWS, "H"),
    **dict.fromkeys(COLUMNS, "W"),
    **dict.fromkeys((*LEVELS, *CHANNELS), "C"),
    **dict.fromkeys(SEQUENCES, "N"),
}
BY_STANDARD_NAME = {
    "time": "T",
    **dict.fromkeys(("latitude", "projection_y_coordinate", "grid_latitude"), "H"),
    **dict.fromkeys(("longitude", "projection_x_coordinate", "grid_longitude"), "W"),
}
BY_AXIS = {"T": "T", "Y": "H", "X": "W", "Z": "C"}
"""Letter of each value of the attribute ``axis`` of the CF conventions."""


def letters_of(dims: Sequence[str], attrs: Mapping[str, Mapping[str, Any]]) -> list[str | None]:
    """Return the letter of each axis: N, T, C, H or W; None where it is unknown.

    Args:
        dims: Name of each axis.
        attrs: Attributes of the coordinates, by name of the axis.
    """
    found = [_letter(name, attrs.get(name, {})) for name in dims]
    lower = [name.rpartition("/")[2].lower() for name in dims]
    if "height" in lower and "width" in lower:  # of a picture; otherwise a height above ground
        found[lower.index("height")] = "H"
    return found


def arranged(
    name: str,
    dims: Sequence[str],
    shape: Sequence[int],
    attrs: Mapping[str, Mapping[str, Any]],
    *,
    path: Path,
) -> str:
    """Return the letters of a variable's axes, ``.`` for one of length 1 without a meaning.

    Args:
        name: The variable.
        dims: Name of each axis.
        shape: Length of each axis.
        attrs: Attributes of the coordinates, by name of the axis.
        path: The file, for messages.

    Raises:
        DataError: If an axis is unknown or its meaning is that of another one, or time, rows or
            columns are missing.
    """
    shown = ", ".join(f"{d or 'unnamed'} {n}" for d, n in zip(dims, shape, strict=True))
    state = f"state the order of all {len(dims)} axes with --axes, such as {'NTCHW'[-len(dims) :]}"
    letters = letters_of(dims, attrs)
    for index, letter in enumerate(letters):
        if letter is not None and letters.count(letter) > 1 and shape[index] == 1:
            letters[index] = None
    found = [letter or ("." if n == 1 else "?") for letter, n in zip(letters, shape, strict=True)]
    if "T" not in found and "?" not in found:
        raise DataError(
            f"{path}: variable {name} has the axes {shown} and no axis of time, so it is not a "
            "sequence of frames; choose another with --variable"
        )
    if "?" in found:
        unknown = dims[found.index("?")] or "without a name"
        raise DataError(
            f"{path}: the axis {unknown} of variable {name} ({shown}) is none of time, channels, "
            f"rows and columns by its name; {state}"
        )
    for letter, word in (("H", "rows"), ("W", "columns")):
        if letter not in found:
            raise DataError(f"{path}: variable {name} ({shown}) has no axis of {word}; {state}")
    for letter in set(found) - {"."}:
        if found.count(letter) > 1:
            same = [dim for dim, one in zip(dims, found, strict=True) if one == letter]
            raise DataError(
                f"{path}: the axes {' and '.join(same)} of variable {name} ({shown}) have one "
                f"meaning; {state}"
            )
    return "".join(found)


def _letter(name: str, attrs: Mapping[str, Any]) -> str | None:
    axis, standard = str(attrs.get("axis", "")), str(attrs.get("standard_name", ""))
    if " since " in str(attrs.get("units", "")):
        return "T"
    known = BY_AXIS.get(axis) or BY_STANDARD_NAME.get(standard)
    return known or BY_NAME.get(name.rpartition("/")[2].lower())
