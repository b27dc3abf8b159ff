"""What all sources of frames have in common."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from openstl_ext.structures import Channel


def as_word(text: str) -> str:
    """Return a text as one word, as names of scores and files need it."""
    return re.sub(r"[\s@\[\]/\\]+", "_", text.strip()) or "_"


@dataclass(frozen=True, kw_only=True)
class FrameSequence:
    """Consecutive frames of a source.

    Args:
        name: Word for the ids of samples.
        num_frames: Number of frames.
        times: Time of each frame, ascending; None if the source has none.
    """

    name: str
    num_frames: int
    times: NDArray[np.datetime64] | None = None


class FrameSource(Protocol):
    """Sequences of frames on disk, read in place.

    Attributes:
        channels: Names and units of the channels, in order.
        size: Height and width of all frames, in pixels.
        dtype: Type of the values as stored.
        sequences: The sequences, in the order of their names.
    """

    channels: tuple[Channel, ...]
    size: tuple[int, int]
    dtype: np.dtype[Any]
    sequences: tuple[FrameSequence, ...]

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Read consecutive frames of a sequence.

        Args:
            sequence: Index of the sequence.
            start: Index of the first frame.
            stop: Index after the last frame.

        Returns:
            Frames (T, C, H, W): integers as stored if nothing is missing and no scale or offset
            applies; otherwise float32 in physical units, NaN where missing (nodata, mask, fill
            value).

        Raises:
            DataError: If a frame is damaged; the message names its file.
        """

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the files that hold the frames of a sequence."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a path cannot state; None means that it must follow from the file.

    A reader raises a DataError that names the option if the file leaves it open.

    Args:
        variable: Name of the array in a file with several (netCDF, HDF5, zarr, npz).
        axes: Order of the axes: N sequences, T time, C channels, H height, W width, as in
            ``NTHWC``.
        channels: Names of the channels.
        unit: Unit of the values.
        nodata: Value that means missing.
        every: Take every k-th frame, from the first one.
        grey: Make one channel of colour pictures.
    """

    variable: str | None = None
    axes: str | None = None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    nodata: float | None = None
    every: int = 1
    grey: bool = False
