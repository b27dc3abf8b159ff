"""Read sequences of frames from arrays and folders, without targets."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.frame_file import (
    frame_shape,
    list_frames,
    read_frame,
    sample_folders,
)
from openstl_ext.datasets.formats.npy import UNREADABLE, StoredArray, array_names
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries
from openstl_ext.rasters.window import Window

SUFFIXES = (".npy", ".npz")
KEY = "frames"

Frames = NDArray[np.float32]


class Sequences(ABC):
    """Base class of sources of frames, read sample by sample.

    Attributes:
        names: Name of each sample.
        is_single: Whether the source is one sample instead of a set.
        has_channels: Whether the source has an axis of channels.
        length: Number T of frames of the shortest sample.
        longest: Number of frames of the longest sample.
        dtype: Type of the values as stored.
        divisor: Number that stored values are divided by.
        part: Part of the frames that is read; None is all.
    """

    names: list[str]
    is_single: bool
    has_channels: bool = True
    length: int
    dtype: np.dtype[Any] = np.dtype(np.float32)
    divisor: float = 1.0
    part: Window | None = None

    @property
    def longest(self) -> int:
        """Number of frames of the longest sample; all have the same unless overridden."""
        return self.length

    @final
    def read(self, indices: Sequence[int], num_frames: int) -> Frames:
        """Read the newest frames of some samples, (n, num_frames, C, H, W); NaN where missing."""
        frames = self._read(indices, num_frames)
        if self.part is not None:
            frames = frames[..., *self.part.slices]
        return frames / np.float32(self.divisor) if self.divisor != 1 else frames

    @abstractmethod
    def _read(self, indices: Sequence[int], num_frames: int) -> Frames:
        """Read the frames as ``read`` does, as they are stored."""

    @final
    def stored(self, frames: Frames) -> NDArray[Any]:
        """Return values as the source stores them: multiplied, and rounded to whole numbers.

        Values beyond the type become its ends, and missing ones 0.
        """
        values = frames * np.float32(self.divisor) if self.divisor != 1 else frames
        if self.dtype.kind not in "iu":
            return values
        limits = np.iinfo(self.dtype)
        whole = np.rint(np.nan_to_num(values.astype(np.float64), nan=0.0))
        return np.clip(whole, limits.min, limits.max).astype(self.dtype)


@final
class ArrayFrames(Sequences):
    """Frames of one array in a file.

    Args:
        path: ``.npy``, memory-mapped; or ``.npz`` with one array, or one named ``frames``.

    Shape:
        - the array: (T, H, W), (T, C, H, W) or (N, T, C, H, W), any real number type.

    Raises:
        DataError: If the file has no such array.
    """

    def __init__(self, path: Path) -> None:
        array = _array_of(path)
        if array.dtype.kind not in "fiub":
            raise DataError(f"{path} has type {array.dtype}; frames must be real numbers")
        if array.ndim not in (3, 4, 5) or 0 in array.shape:
            raise DataError(
                f"{path} has shape {array.shape}; frames must be (T, H, W), (T, C, H, W) or "
                "(N, T, C, H, W)"
            )
        self.is_single = array.ndim < 5
        self.has_channels = array.ndim > 3
        array = array if self.has_channels else array[:, None]
        self.array = array[None] if self.is_single else array
        self.dtype = array.dtype
        self.length = self.array.shape[1]
        digits = max(5, len(str(len(self.array) - 1)))
        self.names = [f"{index:0{digits}d}" for index in range(len(self.array))]

    def _read(self, indices: Sequence[int], num_frames: int) -> Frames:
        return self.array[list(indices), self.length - num_frames :].astype(np.float32)


@final
class FolderFrames(Sequences):
    """Frames in folders, one file per frame, as in ``FrameFolders``, or packed.

    Args:
        root: Folder of frame files ``<t>.npy``, or of such folders, or with ``packed.npy``.

    Raises:
        DataError: If there are no frames, one is missing, or samples differ in length or shape.
    """

    def __init__(self, root: Path) -> None:
        self.is_single = not sample_folders(root) and not Pack.exists(root)
        self.pack: Pack | None = None
        if Pack.exists(root) and not sample_folders(root):
            self.pack = Pack(root)
            self.names, self.length = list(self.pack.rows), self.pack.shape[1]
            return
        folders = [root] if self.is_single else sample_folders(root)
        self.files = [list_frames(folder) for folder in folders]
        self.names, self.length = [folder.name for folder in folders], len(self.files[0])
        first = self.files[0][0]
        for folder, files in zip(folders, self.files, strict=True):
            if len(files) != self.length:
                raise DataError(
                    f"{folder} has {len(files)} frames, {folders[0]} has {self.length}; all "
                    "samples must have the same number"
                )
            for path in files:
                if (shape := frame_shape(path)) != frame_shape(first):
                    raise DataError(
                        f"{path} has shape {shape}, expected {frame_shape(first)} as in {first}"
                    )

    def _read(self, indices: Sequence[int], num_frames: int) -> Frames:
        if self.pack is not None:
            return self.pack.array[list(indices), self.length - num_frames :]
        return np.stack(
            [
                np.stack([read_frame(path, finite=False) for path in self.files[i][-num_frames:]])
                for i in indices
            ]
        )


def open_sequences(source: Path) -> Sequences:
    """Open the frames of a file or a folder.

    Raises:
        DataError: If there are none.
    """
    return FolderFrames(source) if source.is_dir() else ArrayFrames(source)


def holds_frames(source: Path) -> bool:
    """Return whether a path contains frames without georeference: an array or frame files."""
    if not source.is_dir():
        return source.suffix.lower() in SUFFIXES
    if Pack.exists(source):
        return True
    return any(_has_frame(folder) for folder in (source, *sample_folders(source)))


def _has_frame(folder: Path) -> bool:
    return any(p.suffix.lower() in SUFFIXES and p.stem.isdigit() for p in entries(folder))


def _array_of(path: Path) -> NDArray[Any]:
    """Read the array of a file, memory-mapped if possible; pickled objects are rejected."""
    if not path.is_file():
        raise DataError(f"there are no frames at {path}; correct --input")
    try:
        if path.suffix.lower() != ".npz":
            return StoredArray(path).map()
        names = array_names(path)
        if len(names) != 1 and KEY not in names:
            raise DataError(
                f"{path} contains {', '.join(names) or 'no array'}; save one array, or name "
                f"the frames {KEY!r}"
            )
        return StoredArray(path, KEY if KEY in names else names[0]).read()
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{path}: not a readable array ({error}); save it again") from error
