"""Images in MNIST's IDX format, gzipped."""

import gzip
import math
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

MAX_BYTES = 1 << 27
"""Largest content; MNIST has 47 MB."""


def read_idx_images(path: Path) -> NDArray[np.uint8]:
    """Read all images of a file, (N, H, W), read-only; a process reads an unchanged file once.

    Raises:
        DataError: If the file is damaged, truncated, too large, or no IDX file of images.
    """
    status = path.stat()
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed: int) -> NDArray[np.uint8]:
    del size, changed  # part of the cache key: they differ between versions of a file
    try:
        with gzip.open(path) as file:
            magic, *shape = HEADER.unpack(file.read(HEADER.size))
            num_bytes = math.prod(shape)
            if magic != MAGIC or num_bytes > MAX_BYTES:
                raise ValueError(
                    f"magic number {magic:#010x} and {num_bytes:,} bytes, expected {MAGIC:#010x} "
                    f"and at most {MAX_BYTES:,}"
                )
            data = file.read(num_bytes + 1)  # not the rest, which may be without end
        if len(data) != num_bytes:
            more = "more" if len(data) > num_bytes else f"{len(data):,}"
            raise ValueError(f"{more} bytes, where the header {tuple(shape)} needs {num_bytes:,}")
        return np.frombuffer(data, np.uint8).reshape(shape)
    except (OSError, EOFError, ValueError, zlib.error, struct.error) as error:
        raise DataError(
            f"{path}: not a gzipped IDX file of images ({error}); delete it and run the tool that "
            "prepared it again"
        ) from error


def idx_bytes(images: NDArray[np.uint8]) -> bytes:
    """Encode images (N, H, W) as the content of a file."""
    content = HEADER.pack(MAGIC, *images.shape) + images.tobytes()
    return gzip.compress(content, compresslevel=6, mtime=0)
