"""Memory-map .npy files."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, EOFError, LookupError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""Exceptions that numpy and zipfile raise for a damaged file or a missing array."""


def map_numbers(path: Path, *, advice: str) -> NDArray[Any]:
    """Map a file of real numbers, read-only; only the values that are used are read.

    Args:
        path: The file.
        advice: Next step for a bad file, appended to the message.

    Raises:
        DataError: If the file is unreadable or shorter than its header requires, or does not hold
            real numbers.
    """
    try:
        array = np.load(path, mmap_mode="r").view(np.ndarray)
    except UNREADABLE as error:
        raise DataError(f"{path}: not a readable array: {error}; {advice}") from error
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path}: holds {array.dtype}, expected real numbers; {advice}")
    return array
