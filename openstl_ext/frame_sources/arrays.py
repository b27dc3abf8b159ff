"""One array of frames in a NumPy file, with stated axes."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from openstl_ext.datasets.formats.npy import UNREADABLE, StoredArray, array_names
from openstl_ext.errors import DataError, nearest
from openstl_ext.frame_sources.axes import ArrangedArray, axes_of
from openstl_ext.frame_sources.source import FrameSource, ReadOptions

SUFFIXES = (".npy", ".npz")


def opens(path: Path) -> bool:
    """Return whether a path is a NumPy file."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open an array: a ``.npy`` is mapped into memory, an array of a ``.npz`` is read.

    Raises:
        DataError: If the file is damaged, has several arrays and ``options.variable`` names none,
            or the order of its axes is not stated.
    """
    array = _array(path, options.variable)
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path}: has type {array.dtype}, frames must be real numbers")
    return ArrangedArray(
        array, axes_of(array.shape, options.axes, place=str(path)), options, path=path
    )


def _array(path: Path, variable: str | None) -> NDArray[Any]:
    try:
        if path.suffix.lower() == ".npy":
            return StoredArray(path).map()
        return StoredArray(path, _name(path, variable)).read()
    except UNREADABLE as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable array ({error}); save it again") from error


def _name(path: Path, variable: str | None) -> str:
    names = array_names(path)
    if variable is None:
        if len(names) == 1:
            return names[0]
        raise DataError(f"{path}: has the arrays {', '.join(names)}; choose one with --variable")
    if variable not in names:
        raise DataError(f"{path}: has no array {variable!r}; {nearest(variable, names)}")
    return variable
