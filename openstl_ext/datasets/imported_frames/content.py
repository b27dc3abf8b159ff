"""Read windows of imported frames, from the source or from the converted copy."""

import dataclasses
from pathlib import Path
from typing import Any, final

import msgspec
import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.errors import DataError
from openstl_ext.frame_record import AGAIN, FileRecord, FramesRecord, OptionsRecord
from openstl_ext.frame_sources import FrameSource, ReadOptions, open_source

ARRAY = "frames.npy"
"""The copy: frames of all sequences, one after the other, (frames, C, H, W), as stored."""


@final
class Content:
    """The frames of an import, opened in each process at its first read.

    Handles of HDF5 and of mapped files must not be shared by forked workers, so a pickled or
    forked instance opens its own.

    Args:
        root: Folder of the import.
        record: Content of its ``frames.json``.
    """

    def __init__(self, root: Path, record: FramesRecord) -> None:
        self.root, self.record = root, record
        lengths = [sequence.num_frames for sequence in record.sequences]
        self._starts = [0, *np.cumsum(lengths).tolist()]
        self._array: NDArray[Any] | None = None
        self._source: tuple[int, FrameSource] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": None, "_source": None}

    def check(self) -> None:
        """Compare the files with those that were imported.

        Raises:
            DataError: If a file is missing or has other content, or the copy has another shape.
        """
        if self.record.packed:
            found = self._copy().shape
            expected = (self._starts[-1], len(self.record.channels), *self.record.size)
            if found != expected:
                path = self.root / ARRAY
                raise DataError(f"{path}: shape {found}, expected {expected}; {AGAIN}")
            return
        for file in self.record.files:
            check_file(file)

    def read(self, sequence: int, start: int, stop: int) -> NDArray[np.float32]:
        """Read frames (T, C, H, W) in the unit of the data; NaN where missing."""
        if self.record.packed:
            offset = self._starts[sequence]
            stored = self._copy()[offset + start : offset + stop]
        else:
            stored = cropped(self._opened().read(sequence, start, stop), self.record)
        return in_units(stored, self.record.divisor)

    def _copy(self) -> NDArray[Any]:
        if self._array is None:
            self._array = map_numbers(self.root / ARRAY, advice=AGAIN)
        return self._array

    def _opened(self) -> FrameSource:
        import os

        if self._source is None or self._source[0] != os.getpid():
            options = ReadOptions(**msgspec.structs.asdict(self.record.options))
            source = open_source(Path(self.record.source), options)
            lengths = [sequence.num_frames for sequence in source.sequences]
            if lengths != [sequence.num_frames for sequence in self.record.sequences]:
                raise DataError(
                    f"{self.record.source}: its sequences differ from the import; {AGAIN}"
                )
            self._source = os.getpid(), source
        return self._source[1]


def cropped(frames: NDArray[Any], record: FramesRecord) -> NDArray[Any]:
    """Return the part of the source's frames that was imported."""
    (top, left), (height, width) = record.crop, record.size
    return frames[..., top : top + height, left : left + width]


def in_units(stored: NDArray[Any], divisor: float) -> NDArray[np.float32]:
    """Return stored values as float32 in the unit of the data; a copy."""
    values = stored.astype(np.float32)
    if divisor != 1:
        values /= np.float32(divisor)
    return values


def options_of(options: ReadOptions) -> OptionsRecord:
    """Return read options as they are stored."""
    return OptionsRecord(**dataclasses.asdict(options))


def file_record(path: Path) -> FileRecord:
    """Return size, time and hash of a file."""
    status = path.stat()
    return FileRecord(
        path=str(path.resolve()),
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        blake2b=_hash(path),
    )


def check_file(file: FileRecord) -> None:
    """Raise if a file is not as it was imported; it is read only if its time has changed.

    Raises:
        DataError: If it is missing or has other content.
    """
    path = Path(file.path)
    if not path.is_file():
        raise DataError(
            f"{path}: this file of the import is missing; restore it, or {AGAIN}, with --copy to "
            "be independent of it"
        )
    status = path.stat()
    if status.st_size == file.size and status.st_mtime_ns == file.modified_ns:
        return
    if status.st_size != file.size or _hash(path) != file.blake2b:
        raise DataError(
            f"{path}: has changed since it was imported, so splits and statistics may be wrong; "
            f"restore it, or {AGAIN}"
        )


def _hash(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
