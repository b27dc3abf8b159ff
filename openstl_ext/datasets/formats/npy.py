"""Memory-map .npy files and check their headers."""

import math
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.errors import DataError


def read_header(stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether it is in Fortran's order, and type; the stream then stands at the values.

    Args:
        stream: The file, or the member of an archive.
        size: Its length in bytes, head included.

    Raises:
        ValueError: If it is no npy, or not as long as its head says.
    """
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (tokenize.TokenError, TypeError, RecursionError) as error:  # what numpy lets through
        raise ValueError(f"its head is garbled ({error})") from error
    needed = stream.tell() + math.prod(shape) * dtype.itemsize
    if size != needed and not dtype.hasobject:
        raise ValueError(f"has {size:,} bytes, and its head, {shape} {dtype}, needs {needed:,}")
    return shape, fortran, dtype


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
