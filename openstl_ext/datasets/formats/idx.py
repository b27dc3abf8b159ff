"""Images in MNIST's IDX format, gzipped."""

import gzip
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

MAGIC = 0x00000803
"""Marks unsigned bytes in three dimensions."""

HEADER = struct.Struct(">IIII")


def read_idx_images(path: Path) -> NDArray[np.uint8]:
    """Read all images of a file, (N, H, W), read-only; a process reads an unchanged file once.

    Raises:
        DataError: If the file is damaged, truncated, or no IDX file of images.
    """
    status = path.stat()
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> NDArray[np.uint8]:
    del size, changed  # part of the cache key: they differ between versions of a file
    try:
        with gzip.open(path) as file:
            data = file.read()
        _, *shape = HEADER.unpack_from(data)
        return np.frombuffer(data, np.uint8, offset=HEADER.size).reshape(shape)
    except (OSError, EOFError, ValueError, zlib.error, struct.error) as error:
        raise DataError(
            f"{path}: not a gzipped IDX file of images ({error}); delete it and run the tool that "
            "prepared it again"
        ) from error


def idx_bytes(images: NDArray[np.uint8]) -> bytes:
    """Encode images (N, H, W) as the content of a file."""
    content = HEADER.pack(MAGIC, *images.shape) + images.tobytes()
    return gzip.compress(content, compresslevel=6, mtime=0)
