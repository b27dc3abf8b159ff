"""Dates in the names of files."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.times import Times

YEAR = r"(?<!\d)(1[89]\d\d|2[01]\d\d)"
DAY = rf"{YEAR}([-_.]?)(\d\d)\2(\d\d)"
FORMATS = {
    "YYYYMMDDTHHMMSS": (rf"{DAY}T?(\d\d)[-:.]?(\d\d)[-:.]?(\d\d)(?!\d)", "s"),
    "YYYYMMDDTHHMM": (rf"{DAY}T?(\d\d)[-:.]?(\d\d)(?!\d)", "m"),
    "YYYYMMDD": (rf"{DAY}(?!\d)", "D"),
    "YYYYDDD": (rf"{YEAR}()([0-3]\d\d)(?!\d)", "D"),
    "YYYYMM": (rf"{YEAR}([-_.]?)(\d\d)(?!\d)", "M"),
    "YYYY": (rf"{YEAR}()(?!\d)", "Y"),
}
"""Pattern and unit of each format, the most exact first; the parts of a day may be separated by
dashes, underscores or points."""
PRECISE = ("YYYYMMDDTHHMMSS", "YYYYMMDDTHHMM", "YYYYMMDD")
"""Formats that no other number in a name looks like."""


def dates_of(paths: Sequence[Path]) -> Times | None:
    """Return the date in the name of each file; None if the names have no dates.

    The most exact format is used that all names have. If a name has several dates, such as those of
    the image and of its production, the first one counts that differs between all files.

    Args:
        paths: Files of a sequence, in any order.

    Raises:
        DataError: If most names have a date and others none, or two files have the same date.
    """
    for name, (_, unit) in FORMATS.items():
        found = [_dates(path.stem, name) for path in paths]
        without = [path for path, dates in zip(paths, found, strict=True) if not dates]
        for column in zip(*found, strict=False):
            if len(set(column)) == len(paths):
                return np.array(column, f"datetime64[{unit}]")
        if len(without) == 0 and name in PRECISE:
            _refuse_doubled(paths, [dates[0] for dates in found], name)
        if 0 < len(without) < len(paths) / 2 and not _has_coarser(paths, name):
            dated = next(path for path in paths if path not in without)
            raise DataError(
                f"{without[0]}: has no date in its name as {dated.name} has ({name}); rename it, "
                "or move it away if it is no frame"
            )
    return None


def _dates(stem: str, name: str) -> list[np.datetime64]:
    """Return all dates of a format in a text."""
    pattern, unit = FORMATS[name]
    found = []
    for match in re.finditer(rf"(?={pattern})", stem):
        year, _, *rest = match.groups()
        date = _date(name, year, rest)
        if date is not None:
            found.append(date.astype(f"datetime64[{unit}]"))
    return found


def _date(name: str, year: str, rest: Sequence[str]) -> Any:
    try:
        if name == "YYYYDDD":
            day = np.datetime64(year, "D") + np.timedelta64(int(rest[0]) - 1, "D")
            return day if str(day).startswith(year) else None
        date, clock = "-".join([year, *rest[:2]]), ":".join(rest[2:])
        return np.datetime64(f"{date}T{clock}" if clock else date)
    except ValueError:  # a month 13
        return None


def _has_coarser(paths: Sequence[Path], name: str) -> bool:
    """Return whether all names have a date of a less exact format."""
    names = list(FORMATS)
    coarser = names[names.index(name) + 1 :]
    return any(all(_dates(path.stem, other) for path in paths) for other in coarser)


def _refuse_doubled(paths: Sequence[Path], dates: list[Any], name: str) -> None:
    order = sorted(range(len(paths)), key=lambda k: dates[k])
    for one, other in pairwise(order):
        if dates[one] == dates[other]:
            raise DataError(
                f"{paths[one]} and {paths[other].name} have the same date, {dates[one]}; keep one "
                f"file for each date, or add the time of day to the names (YYYYMMDDTHHMM); the "
                f"format found is {name}"
            )
