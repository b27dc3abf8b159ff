"""Import a source of frames: split it, compute its statistics, copy it where that is faster."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.imported_frames.content import file_record, options_of
from openstl_ext.datasets.imported_frames.one_pass import read_all
from openstl_ext.datasets.imported_frames.statistics import Tally
from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.errors import DataError
from openstl_ext.frame_record import (
    NAME,
    ChannelRecord,
    FileRecord,
    FramesRecord,
    Scaling,
    SequenceRecord,
    read_record,
)
from openstl_ext.frame_sources import FrameSequence, FrameSource, ReadOptions, open_source

READ_IN_PLACE = (".npy", ".nc", ".nc4", ".h5", ".hdf5", ".he5", ".zarr")
"""Formats from which a window is read about as fast as from one array; others are decoded."""
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
"""Units of a time step in seconds, and their names, the largest first."""


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """How a source is imported.

    Args:
        options: How the source is read.
        rule: How it is split.
        window: Input and target frames of a sample.
        scale: ``none``, ``minmax``, ``standard``, or a number that values are divided by; None is
            ``standard`` for decimal numbers, and an error for whole numbers.
        crop: Height and width of the central part to use; None uses all.
        copy: Copy the frames even where the source can be read in place.
    """

    options: ReadOptions = field(default_factory=ReadOptions)
    rule: SplitRule = field(default_factory=SplitRule)
    window: tuple[int, int] = (10, 10)
    scale: str | None = None
    crop: tuple[int, int] | None = None
    copy: bool = False


def import_frames(
    path: Path,
    root: Path,
    settings: ImportSettings,
    *,
    name: str,
) -> FramesRecord:
    """Write ``frames.json``, and ``frames.npy`` where the source is copied.

    Args:
        path: Source.
        root: Folder to write to; an incomplete one, see ``atomic_io.atomic_folder``.
        settings: How it is imported.
        name: Name of the data in tables.

    Raises:
        DataError: If the source is damaged, values do not fit the scale, a split is empty, or an
            option is needed; the message names it.
    """
    source = open_source(path, settings.options)
    scaling, divisor = scaling_of(settings.scale, _type_of(source), path)
    lengths = [sequence.num_frames for sequence in source.sequences]
    for sequence in source.sequences:
        _check_times(sequence, path)
    splits = settings.rule.windows(lengths, [s.name for s in source.sequences])
    crop, size = _crop_of(source.size, settings.crop, path)
    packed = settings.copy or path.suffix.lower() not in READ_IN_PLACE
    unit = "0-1" if scaling == "number" else None
    record = FramesRecord(
        name=name,
        source=str(path.expanduser().resolve()),
        options=options_of(settings.options),
        packed=packed,
        files=[] if packed else _files_of(source),
        size=size,
        crop=crop,
        scaling=scaling,
        divisor=divisor,
        lead=lead_of(source.sequences),
        channels=[],
        sequences=[
            SequenceRecord(name=s.name, num_frames=s.num_frames, times=_times(s))
            for s in source.sequences
        ],
        window=settings.window,
        stride=settings.rule.stride or settings.rule.length,
        by=settings.rule.chosen(lengths),
        has_missing=False,
        splits=splits,  # type: ignore[arg-type]
    )
    tally, record.has_missing = read_all(source, record, root)
    _check_tally(tally, source, scaling, path)
    record.channels = [
        ChannelRecord(
            name=channel.name,
            unit=unit or channel.unit,
            level=channel.level,
            mean=float(tally.mean[k]),
            std=float(tally.std[k]),
            min=float(tally.least[k]),
            max=float(tally.most[k]),
            missing=float(tally.missing[k]),
        )
        for k, channel in enumerate(source.channels)
    ]
    atomic_write(root / NAME, record.encoded())
    return read_record(root)  # with the types of the file, so that its digest is that of a reader


def scaling_of(scale: str | None, dtype: np.dtype[Any], path: Path) -> tuple[Scaling, float]:
    """Return how values are scaled, and the number that they are divided by.

    Raises:
        DataError: If whole numbers come without a statement, or it is no scale.
    """
    if scale is None:
        if dtype.kind == "f":
            return "standard", 1.0
        largest = 1 if dtype.kind == "b" else np.iinfo(dtype).max
        raise DataError(
            f"{path}: its values are whole numbers ({dtype}), and nets expect small decimal "
            f"numbers; add --scale {largest} to divide by {largest} (0-1), --scale minmax or "
            "--scale standard to scale by the training data, or --scale none"
        )
    if scale in ("none", "minmax", "standard"):
        return cast("Scaling", scale), 1.0
    try:
        divisor = float(scale)
    except ValueError:
        divisor = 0.0
    if not 0 < divisor < np.inf:
        raise DataError(f"--scale {scale}: expected a number above 0, minmax, standard or none")
    return "number", divisor


def _type_of(source: FrameSource) -> np.dtype[Any]:
    """Return the type of the values, after scale and offset of the file.

    Whole numbers that are read as decimal ones, because some are missing, are whole numbers.
    """
    first = source.read(0, 0, 1)
    known = first[np.isfinite(first)]
    is_whole = source.dtype.kind != "f" and bool((known == np.rint(known)).all())
    return source.dtype if is_whole else first.dtype


def lead_of(sequences: tuple[FrameSequence, ...]) -> tuple[float, str]:
    """Return the length of a time step, if all are equal; otherwise ``(1, "frame")``."""
    steps = [np.diff(s.times) for s in sequences if s.times is not None and len(s.times) > 1]
    if len(steps) < len(sequences):
        return (1, "frame")
    found = np.unique(np.concatenate(steps)).astype("timedelta64[ms]")
    if len(found) != 1:
        return (1, "frame")
    seconds = float(found[0].astype(np.int64)) / 1000
    length, word = next((unit for unit in UNITS if seconds % unit[0] == 0), UNITS[-1])
    amount = seconds / length
    return (int(amount) if amount.is_integer() else amount, word)


def _check_tally(tally: Tally, source: FrameSource, scaling: Scaling, path: Path) -> None:
    for channel, count, least, most in zip(
        source.channels, tally.count, tally.least, tally.most, strict=True
    ):
        if not count:
            raise DataError(
                f"{path}: channel {channel.name} has no value in the training frames, all are "
                "missing; leave the channel out, or correct --nodata"
            )
        if least == most and scaling in ("minmax", "standard"):
            raise DataError(
                f"{path}: channel {channel.name} is {least:g} in all training frames, so it "
                "cannot be scaled by them; leave it out, or use --scale none"
            )


def _check_times(sequence: FrameSequence, path: Path) -> None:
    if sequence.times is not None and (np.diff(sequence.times) <= np.timedelta64(0)).any():
        first = int(np.argmax(np.diff(sequence.times) <= np.timedelta64(0)))
        raise DataError(
            f"{path}: sequence {sequence.name} is not in the order of time: frame {first + 1} "
            f"({sequence.times[first + 1]}) does not follow frame {first} "
            f"({sequence.times[first]}); sort the source"
        )


def _times(sequence: FrameSequence) -> list[str]:
    if sequence.times is None:
        return []
    return [str(time) for time in sequence.times.astype("datetime64[s]")]


def _files_of(source: FrameSource) -> list[FileRecord]:
    paths = {path for k in range(len(source.sequences)) for path in source.frame_files(k)}
    return [file_record(path) for path in sorted(paths)]


def _crop_of(
    size: tuple[int, int], crop: tuple[int, int] | None, path: Path
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return top and left of the central part, and its size."""
    height, width = crop or size
    if min(height, width) < 1 or height > size[0] or width > size[1]:
        raise DataError(
            f"{path}: its frames have {size[0]} x {size[1]} pixels (height x width), of which "
            f"--crop {height}x{width} is no part"
        )
    return ((size[0] - height) // 2, (size[1] - width) // 2), (height, width)
