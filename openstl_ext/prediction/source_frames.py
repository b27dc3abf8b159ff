"""Frames of any source as samples of a prediction: pictures, videos, variables, GeoTIFFs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_sources import FrameSource, ReadOptions, open_source
from openstl_ext.frame_sources.opening import readers
from openstl_ext.prediction.sequences import Frames, Sequences, holds_frames, open_sequences
from openstl_ext.rasters.window import Window


@final
class SourceFrames(Sequences):
    """Frames of a source.

    Args:
        source: The source.

    Attributes:
        source: The source.
    """

    def __init__(self, source: FrameSource) -> None:
        self.source, self.dtype = source, source.dtype
        self.names = [sequence.name for sequence in source.sequences]
        self.is_single = len(self.names) == 1
        self.length = min(sequence.num_frames for sequence in source.sequences)

    @property
    def longest(self) -> int:
        return max(sequence.num_frames for sequence in self.source.sequences)

    def _read(self, indices: Sequence[int], num_frames: int) -> Frames:
        lengths = [self.source.sequences[index].num_frames for index in indices]
        found = [
            self.source.read(index, length - num_frames, length)
            for index, length in zip(indices, lengths, strict=True)
        ]
        return np.stack(found).astype(np.float32)


def open_frames(
    path: Path, form: StoredForm, given: dict[str, Any], scale: str | None = None
) -> Sequences:
    """Open frames as the training data were read.

    Args:
        path: File or folder.
        form: How the training data were read.
        given: Options of the call, which come before those of the training.
        scale: ``none``, or the number that stored values are divided by; None is as in training.

    Raises:
        DataError: If the source cannot be read, or its scale is not known.
        ConfigError: If it is no scale.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    if holds_frames(path) and not chosen:
        found = open_sequences(path)
    else:
        trained = {name: value for name, value in form.options.items() if name != "axes"}
        found = SourceFrames(open_source(path, ReadOptions(**{**trained, **chosen})))
    found.divisor = divisor_of(scale, form, found.dtype, path)
    height, width = found.read([0], 1).shape[-2:]
    found.part = part_of(form, height, width, path)
    return found


def part_of(form: StoredForm, height: int, width: int, path: Path) -> Window | None:
    """Return the part of the frames of a source that the training used; None for all.

    Raises:
        DataError: If the frames have neither the size of the training nor that of its source.
    """
    part = form.part
    if part is None or (height, width) == (part.height, part.width):
        return None
    if ((height - part.height) // 2, (width - part.width) // 2) == (part.row, part.column):
        return part
    raise DataError(
        f"{path}: its frames have {height} x {width} pixels (height x width); give frames of "
        f"{part.height} x {part.width} as in training, or of the size of the source that was "
        "imported, whose central part that is"
    )


def is_source(path: Path) -> bool:
    """Return whether a reader of frames opens a path."""
    return any(reader.opens(path) for reader in readers())


def divisor_of(scale: str | None, form: StoredForm, dtype: np.dtype[Any], path: Path) -> float:
    """Return the number that stored values are divided by.

    Decimal numbers are in data units already, unless a scale is given.
    """
    if scale == "none":
        return 1.0
    if scale is not None:
        try:
            divisor = float(scale)
        except ValueError:
            divisor = 0.0
        if not 0 < divisor < np.inf:
            raise ConfigError(f"--scale {scale}: expected a number above 0, or none")
        return divisor
    if dtype.kind not in "iub":
        return 1.0
    if form.divisor is None:
        raise DataError(
            f"{path}: its values are whole numbers ({dtype}), and the record of the training data "
            "is not there, so their scale is not known; give --scale 255 for bytes as 0-1, or "
            "--scale none"
        )
    return form.divisor
