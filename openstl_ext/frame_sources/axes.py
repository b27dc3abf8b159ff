"""Bring the axes of an array into the order of frames; the order is stated, never guessed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.source import FrameSequence, ReadOptions
from openstl_ext.structures import Channel

LETTERS = {"N": "sequences", "T": "time", "C": "channels", "H": "height", "W": "width"}


def axes_of(shape: Sequence[int], axes: str | None, *, place: str) -> str:
    """Return the letter of each axis of an array.

    Only an array of three axes needs no statement: it is (T, H, W). Four axes may be
    (T, C, H, W) or (N, T, H, W), five (N, T, C, H, W) or (N, T, H, W, C).

    Args:
        shape: Shape of the array.
        axes: Stated order, such as ``NTHWC``.
        place: The file, for messages.

    Raises:
        DataError: If the order is not stated where it is open, or does not fit the shape.
    """
    shown = " x ".join(map(str, shape))
    if axes is None:
        if len(shape) == 3:
            return "THW"
        examples = {4: "TCHW, NTHW or THWC", 5: "NTCHW or NTHWC"}.get(len(shape))
        if examples is None:
            raise DataError(
                f"{place}: an array of {shown} is no sequence of frames; expected 3 to 5 axes of "
                "sequences N, time T, channels C, height H and width W"
            )
        raise DataError(
            f"{place}: an array of {shown} has {len(shape)} axes, whose order is not stated; "
            f"add --axes, such as {examples}"
        )
    letters = axes.upper()
    if unknown := sorted(set(letters) - set(LETTERS)):
        known = ", ".join(f"{letter} {word}" for letter, word in LETTERS.items())
        raise DataError(f"--axes {axes}: {unknown[0]!r} is no axis; known are {known}")
    if len(set(letters)) < len(letters) or not set("THW") <= set(letters):
        raise DataError(f"--axes {axes}: needs T, H and W once each, and N and C at most once")
    if len(letters) != len(shape):
        raise DataError(
            f"{place}: --axes {axes} names {len(letters)} axes, but the array has {len(shape)}: "
            f"{shown}"
        )
    return letters


class ArrangedArray:
    """Source of the frames of one array, which may be mapped from disk.

    Args:
        array: The array.
        axes: Letter of each of its axes.
        options: Names of channels, unit, nodata.
        path: The file.

    Raises:
        DataError: If an axis is empty, or the names of channels do not fit.
    """

    def __init__(self, array: NDArray[Any], axes: str, options: ReadOptions, *, path: Path) -> None:
        if 0 in array.shape:
            raise DataError(f"{path}: the array is empty, {array.shape}; save it again")
        for letter in "NC":
            if letter not in axes:
                array, axes = array[None], letter + axes
        order = [axes.index(letter) for letter in LETTERS]
        self._frames = array.transpose(order)[:, :: options.every]  # a view
        self._path, self._nodata = path, options.nodata
        count, length, channels, height, width = self._frames.shape
        names = options.channels or tuple(map(str, range(channels)))
        if len(names) != channels:
            raise DataError(
                f"{path}: has {channels} channels, but --channels names {len(names)}: "
                f"{', '.join(names)}"
            )
        self.channels = tuple(Channel(name, options.unit or "1") for name in names)
        self.size = (height, width)
        self.dtype: np.dtype[Any] = array.dtype
        digits = max(5, len(str(count - 1)))
        self.sequences = tuple(
            FrameSequence(name=f"{index:0{digits}d}", num_frames=length) for index in range(count)
        )

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Read consecutive frames of a sequence, (T, C, H, W)."""
        found = self._frames[sequence, start:stop]
        if self._nodata is not None:
            missing = found == self._nodata
            return np.where(missing, np.float32("nan"), found.astype(np.float32))
        if found.dtype.kind == "f":
            return found.astype(np.float32)
        return np.array(found, dtype=found.dtype.newbyteorder("="))  # a copy, no mapping

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the file of the array."""
        del sequence
        return [self._path]
