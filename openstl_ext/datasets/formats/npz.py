"""Read single rows of arrays in .npz files."""

import math
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.npy import read_header
from openstl_ext.errors import DataError

DAMAGE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, EOFError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


CHUNK = 256
"""Rows that are decompressed at a time."""


def count_rows(path: Path, key: str, row: tuple[int, ...], *, advice: str) -> int:
    """How many rows of a given shape an array has.

    Args:
        path: The archive.
        key: Name of the array.
        row: Shape of a row.
        advice: What to do about a bad file; ends the message.

    Raises:
        DataError: If the archive is damaged, or has no such array of real numbers.
    """
    return _walk(path, key, row, slice(0, 0), advice, headers_only=True)[0]


def read_rows(
    path: Path, key: str, row: tuple[int, ...], window: slice, *, advice: str
) -> NDArray[np.float32]:
    """Rows ``window.start`` to ``window.stop`` of an array, as float32.

    The archive's checksum covers the whole array, so it is read to its end.

    Raises:
        DataError: If the archive is damaged, the array is of another kind, or a value of the
            window is not finite.
    """
    return _walk(path, key, row, window, advice)[1]


def _walk(
    path: Path,
    key: str,
    row: tuple[int, ...],
    window: slice,
    advice: str,
    *,
    headers_only: bool = False,
) -> tuple[int, NDArray[np.float32]]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as member:
            shape, fortran, dtype = read_header(member, archive.getinfo(f"{key}.npy").file_size)
            if dtype.kind != "f" or fortran or shape[1:] != row:
                raise DataError(
                    f"{path}: {key} is {dtype} {shape} where floats of shape (N, "
                    f"{', '.join(map(str, row))}) are expected; {advice}"
                )
            taken = np.empty((window.stop - window.start, *row), np.float32)
            for first in () if headers_only else range(0, shape[0], CHUNK):
                last = min(first + CHUNK, shape[0])
                data = member.read((last - first) * math.prod(row) * dtype.itemsize)
                here = slice(max(first, window.start), min(last, window.stop))
                if here.start < here.stop:
                    rows = np.frombuffer(data, dtype).reshape(last - first, *row)
                    taken[here.start - window.start : here.stop - window.start] = rows[
                        here.start - first : here.stop - first
                    ]
            if not headers_only:
                member.read(1)  # nothing; but the checksum is compared at the end only
    except KeyError:
        raise DataError(f"{path}: holds no array called {key!r}; {advice}") from None
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path}: {key} is not a readable array ({error}); {advice}") from error
    if not np.isfinite(taken).all():
        raise DataError(f"{path}: {key} holds NaN or infinite values; {advice}")
    return shape[0], taken
