"""Read all frames of a source once: check them, compute statistics, copy them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.imported_frames.content import ARRAY, cropped, in_units
from openstl_ext.datasets.imported_frames.statistics import Tally
from openstl_ext.errors import DataError
from openstl_ext.frame_record import FramesRecord
from openstl_ext.frame_sources import FrameSource
from openstl_ext.progress_line import progress

BLOCK_VALUES = 1 << 24
"""Values that are read at once."""
DECIMAL = np.dtype("<f4")


def read_all(source: FrameSource, record: FramesRecord, root: Path) -> tuple[Tally, bool]:
    """Read all frames of a source, and copy them to ``frames.npy`` if the record states a copy.

    A source of whole numbers returns decimal numbers where some are missing; a copy that has begun
    with whole numbers is then begun again.

    Args:
        source: The source.
        record: What is imported; its channels are not used.
        root: Folder of the copy.

    Returns:
        The statistics of the frames of training, and whether a value of any frame is missing.

    Raises:
        DataError: If a value is infinite or does not fit the scale.
    """
    if not record.packed:
        return _read_once(source, record, None)
    stored = source.read(0, 0, 1).dtype
    first = stored.newbyteorder("<") if stored.kind in "iub" else DECIMAL
    for dtype in (first, DECIMAL):
        try:
            with atomic_file(root / ARRAY) as file:
                total = sum(s.num_frames for s in record.sequences)
                shape = (total, len(source.channels), *record.size)
                header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False}
                npy.write_array_header_1_0(file, {**header, "shape": shape})
                return _read_once(source, record, (file, dtype))
        except MixedTypesError:
            continue
    raise AssertionError("a copy of decimal numbers takes all numbers")


class MixedTypesError(Exception):
    """A block has decimal numbers after blocks of whole numbers."""


def _read_once(
    source: FrameSource,
    record: FramesRecord,
    copy: tuple[BinaryIO, np.dtype[Any]] | None,
) -> tuple[Tally, bool]:
    trained = _frames_of_training(record)
    tally = Tally(len(source.channels))
    has_missing = False
    with progress("importing", sum(s.num_frames for s in source.sequences), "frames") as task:
        for sequence, start, stop in _blocks(source):
            stored = cropped(source.read(sequence, start, stop), record)
            values = in_units(stored, record.divisor)
            name = record.sequences[sequence].name
            place = f"{record.source}: sequence {name}, frames {start} to {stop - 1}"
            _check_values(values, record, place)
            has_missing = has_missing or bool(np.isnan(values).any())
            if (chosen := trained[sequence][start:stop]).any():
                tally.add(values[chosen])
            if copy is not None:
                file, dtype = copy
                if stored.dtype.kind == "f" and dtype.kind != "f":
                    raise MixedTypesError
                file.write(np.ascontiguousarray(stored, dtype).data)
            task.advance(stop - start)
    return tally, has_missing


def _blocks(source: FrameSource) -> Iterator[tuple[int, int, int]]:
    """Yield sequence, first frame and end of blocks that fit into memory."""
    height, width = source.size
    most = max(1, BLOCK_VALUES // (len(source.channels) * height * width))
    for index, sequence in enumerate(source.sequences):
        for start in range(0, sequence.num_frames, most):
            yield index, start, min(start + most, sequence.num_frames)


def _frames_of_training(record: FramesRecord) -> list[NDArray[np.bool_]]:
    """Return for each sequence which frames are in a training window."""
    found = [np.zeros(sequence.num_frames, bool) for sequence in record.sequences]
    for sequence, first in record.splits["train"]:
        found[sequence][first : first + sum(record.window)] = True
    return found


def _check_values(values: NDArray[np.float32], record: FramesRecord, place: str) -> None:
    if np.isinf(values).any():
        raise DataError(f"{place}: has infinite values; write NaN where there is no data")
    if record.scaling != "number":
        return
    least, most = np.nanmin(values, initial=0), np.nanmax(values, initial=0)
    if least < 0 or most > 1:
        d = record.divisor
        raise DataError(
            f"{place}: values reach from {least * d:g} to {most * d:g}, so --scale {d:g} does not "
            "give 0 to 1; choose another number, --scale minmax or --scale standard"
        )
