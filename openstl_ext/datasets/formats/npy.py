"""Read .npy and .npz files, whose headers are compared with the file before memory is taken."""

import io
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.errors import DataError

UNREADABLE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, EOFError, LookupError, NotImplementedError, RuntimeError),
    *(MemoryError, zipfile.BadZipFile, zlib.error, struct.error),
)
"""Exceptions that numpy and zipfile raise for a damaged file or a missing array."""

MAX_HEADER = 16_384
"""Bytes read of a file to find its header; numpy writes 128, and reads up to 4 GB."""
MAX_EXPANSION, ALWAYS_ACCEPTED = 20, 1 << 28
"""Largest expansion of a compressed array of more than the accepted bytes; data expand 1 to 10
times, and a zip bomb 1,000 times."""


class StoredArray:
    """An array on disk: a .npy, or a member of a .npz; values are read later, if at all.

    Args:
        path: The file.
        key: Name of the array in a .npz.

    Attributes:
        shape: Shape of the array.
        dtype: Type of its values.

    Raises:
        Exception: One of ``UNREADABLE``, if the file is no such array, holds Python objects, has
            more or fewer bytes than its header states, or expands like a bomb.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self.path, self.key = path, key
        if path.exists() and not path.is_file():  # reading a pipe or a device may never end
            raise ValueError("not a file")
        if key is None:
            with path.open("rb") as file:
                self._read_header(file, path.stat().st_size)
            return
        with zipfile.ZipFile(path) as archive:
            if f"{key}.npy" not in archive.namelist():
                raise ValueError(f"{key} is not a file in the archive")
            member = archive.getinfo(f"{key}.npy")
            largest = max(ALWAYS_ACCEPTED, MAX_EXPANSION * member.compress_size)
            if member.file_size > largest:
                raise ValueError(
                    f"{key} expands {member.compress_size:,} bytes to {member.file_size:,}, at "
                    f"most {largest:,} are read; save it as .npy"
                )
            with archive.open(member) as file:
                self._read_header(file, member.file_size)

    def _read_header(self, file: IO[bytes], size: int) -> None:
        start = io.BytesIO(file.read(MAX_HEADER))
        readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        version = npy.read_magic(start)
        if version not in readers:
            raise ValueError(f"version {version} of the format is not for numbers")
        try:
            self.shape, self._is_fortran, self.dtype = readers[version](start)
        except Exception as error:  # the parsers of Python that numpy calls raise many types
            raise ValueError(f"its header cannot be read ({type(error).__name__})") from error
        self._offset = start.tell()
        if self.dtype.hasobject:
            raise ValueError("Object arrays are not read, because they can run code")
        if (expected := self._offset + self.num_bytes) != size or min(self.shape, default=0) < 0:
            raise ValueError(f"{size:,} bytes, but the header states {expected:,}: {self.shape}")

    @property
    def num_bytes(self) -> int:
        """Size of the values in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self) -> NDArray[Any]:
        """Read the values."""
        if self.key is None:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                values = np.fromfile(file, self.dtype, math.prod(self.shape))
        else:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.key}.npy") as member:
                member.seek(self._offset)
                values = np.frombuffer(member.read(self.num_bytes), self.dtype)
        return values.reshape(self.shape, order="F" if self._is_fortran else "C")

    def map(self) -> NDArray[Any]:
        """Map the values of a .npy, read-only; only those that are used are read."""
        order: Any = "F" if self._is_fortran else "C"
        found = np.memmap(
            self.path, self.dtype, "r", offset=self._offset, shape=self.shape, order=order
        )
        return found.view(np.ndarray)


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in a .npz."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def map_numbers(path: Path, *, advice: str) -> NDArray[Any]:
    """Map a file of real numbers, read-only; only the values that are used are read.

    Args:
        path: The file.
        advice: Next step for a bad file, appended to the message.

    Raises:
        DataError: If the file is unreadable or has another size than its header states, or does
            not hold real numbers.
    """
    try:
        array = StoredArray(path).map()
    except UNREADABLE as error:
        raise DataError(f"{path}: not a readable array: {error}; {advice}") from error
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path}: holds {array.dtype}, expected real numbers; {advice}")
    return array
