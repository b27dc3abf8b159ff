"""One array a file, mapped into memory rather than read."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.layout.npy_header import read_header
from openstl_ext.errors import DataError


def map_npy(path: Path, *, advice: str) -> NDArray[np.uint8]:
    """A file of bytes as an array, read-only, of which only what is asked for is read.

    Args:
        path: The file.
        advice: What to do about a bad file; ends the message.

    Raises:
        DataError: If the file is no array of unsigned bytes, or is not as long as its header says.
    """
    mapped: NDArray[np.uint8] = map_numbers(path, advice=advice)
    if mapped.dtype != np.uint8:
        raise DataError(f"{path}: holds {mapped.dtype} where uint8 is expected; {advice}")
    return mapped


def map_numbers(path: Path, *, advice: str) -> NDArray[Any]:
    """A file of real numbers of any type, read-only, of which only what is asked for is read.

    Args:
        path: The file.
        advice: What to do about a bad file; ends the message.

    Raises:
        DataError: If the file is no array of real numbers, or is not as long as its header says.
    """
    try:
        with path.open("rb") as file:
            _, _, dtype = read_header(file, path.stat().st_size)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a readable array: {error}; {advice}") from error
    if dtype.kind not in "fiub":
        raise DataError(f"{path}: holds {dtype} where real numbers are expected; {advice}")
    return np.load(path, mmap_mode="r").view(np.ndarray)
