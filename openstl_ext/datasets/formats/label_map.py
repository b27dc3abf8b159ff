"""Validate class indices that are read from files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import ConfigError, DataError


def checked_classes(
    stored: NDArray[Any], classes: Sequence[str], *, ignore_index: int, path: Path, place: str
) -> NDArray[np.int64]:
    """Return the class indices of a part of a label raster.

    Args:
        stored: Numbers of any type, NaN where the raster has no data.
        classes: Name of each class.
        ignore_index: Number of pixels without a label.
        path: The file, for the message.
        place: The part of the file, for the message.

    Returns:
        Indices, ``ignore_index`` where there is no label.

    Raises:
        ConfigError: If ``ignore_index`` is a class.
        DataError: If a number is not a class; the message has the file, the number and the place.
    """
    if 0 <= ignore_index < len(classes):
        raise ConfigError(
            f"ignore_index {ignore_index} is the class {classes[ignore_index]!r}, of which no "
            "pixel would remain; use another number"
        )
    unknown = np.isnan(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
    found = np.where(unknown, ignore_index, stored)
    is_class = (found >= 0) & (found < len(classes)) & (found == np.floor(found))
    odd = found[~(is_class | (found == ignore_index))]
    if odd.size:
        listed = ", ".join(f"{index} {name}" for index, name in enumerate(classes))
        raise DataError(
            f"{path}: {place} has the label {odd[0]:g} ({odd.size} pixels), expected a class "
            f"({listed}) or {ignore_index} for unknown; correct the label or set ignore_index"
        )
    return found.astype(np.int64)


def stored_classes(
    stored: NDArray[Any], classes: Sequence[str], *, ignore_index: int, path: Path, place: str
) -> NDArray[np.int64]:
    """Return the class indices of a part of an array, in which NaN is not allowed.

    Args and Returns:
        As of ``checked_classes``.

    Raises:
        DataError: If a number is NaN or not a class.
    """
    if stored.dtype.kind == "f" and np.isnan(stored).any():
        raise DataError(
            f"{path}: {place} has NaN, which is not a label; write {ignore_index} where the label "
            "is unknown"
        )
    return checked_classes(stored, classes, ignore_index=ignore_index, path=path, place=place)
