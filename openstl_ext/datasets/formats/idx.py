"""Images in the IDX format of MNIST, gzipped."""

import gzip
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

MAGIC = 0x00000803
"""Unsigned bytes in three dimensions."""

HEADER = struct.Struct(">IIII")


def read_idx_images(path: Path) -> NDArray[np.uint8]:
    """All images of a file, (N, H, W), read-only; a process reads an unchanged file once.

    Raises:
        DataError: If the file is damaged, cut off, or no IDX file of images.
    """
    facts = path.stat()
    return _read(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> NDArray[np.uint8]:
    del size, changed  # there to tell versions of a file apart
    again = "delete it and run the tool that prepared it again"
    try:
        with gzip.open(path) as file:
            data = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error}); {again}") from error
    if len(data) < HEADER.size or HEADER.unpack_from(data)[0] != MAGIC:
        raise DataError(f"{path}: not an IDX file of images; {again}")
    _, *shape = HEADER.unpack_from(data)
    if len(data) - HEADER.size != shape[0] * shape[1] * shape[2]:
        raise DataError(
            f"{path}: its header promises {shape[0]} images of {shape[1]} x {shape[2]}, and "
            f"{len(data) - HEADER.size:,} bytes follow; {again}"
        )
    return np.frombuffer(data, np.uint8, offset=HEADER.size).reshape(shape)


def idx_bytes(images: NDArray[np.uint8]) -> bytes:
    """The bytes of a file that holds these images, (N, H, W)."""
    content = HEADER.pack(MAGIC, *images.shape) + images.tobytes()
    return gzip.compress(content, compresslevel=6, mtime=0)
