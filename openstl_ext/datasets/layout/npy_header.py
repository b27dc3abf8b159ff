"""What the head of an npy stream says of its array."""

import math
import tokenize
from typing import IO

import numpy as np
from numpy.lib import format as npy


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
