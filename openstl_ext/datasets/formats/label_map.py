"""Class indices as they come from files: checked, so that nothing odd passes for background."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError


def checked_classes(
    stored: NDArray[Any], classes: Sequence[str], *, ignore_index: int, path: Path, place: str
) -> NDArray[np.int64]:
    """Class indices of a part of a label.

    Args:
        stored: Numbers of any type, NaN where the file itself knows no truth.
        classes: Name of each class.
        ignore_index: Number that says that the truth is not known.
        path: The file, for the message.
        place: Which part of it, for the message.

    Returns:
        Indices, ``ignore_index`` where the truth is not known.

    Raises:
        DataError: If a number is no class; it names the file, the number and the place.
    """
    unknown = np.isnan(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
    found = np.where(unknown, ignore_index, stored)
    is_class = (found >= 0) & (found < len(classes)) & (found == np.floor(found))
    odd = found[~(is_class | (found == ignore_index))]
    if odd.size:
        listed = ", ".join(f"{index} {name}" for index, name in enumerate(classes))
        raise DataError(
            f"{path}: {place} holds the label {odd[0]:g} ({odd.size} pixels), which is no class "
            f"({listed}) and does not mean unknown ({ignore_index}); mend the label, or set "
            "ignore_index"
        )
    return found.astype(np.int64)


def stored_classes(
    stored: NDArray[Any], classes: Sequence[str], *, ignore_index: int, path: Path, place: str
) -> NDArray[np.int64]:
    """Class indices of a part of an array, in which, unlike in a raster, NaN has no meaning.

    Args and Returns:
        As of ``checked_classes``.

    Raises:
        DataError: If a number is no class, or is NaN.
    """
    if stored.dtype.kind == "f" and np.isnan(stored).any():
        raise DataError(
            f"{path}: {place} holds NaN, which is no label; write {ignore_index} where the truth "
            "is unknown"
        )
    return checked_classes(stored, classes, ignore_index=ignore_index, path=path, place=place)
