"""The file ``frames.json`` of imported frames: what they are, and how they are split.

It is read without torch, because a recipe takes the shape of its net from it.
"""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.json_file import read_json

NAME = "frames.json"
IMPORT = "openstl-ext data import"
"""Command that writes the file."""
AGAIN = f"import again: {IMPORT}"
SPLITS = ("train", "val", "test")
Scaling = Literal["none", "number", "minmax", "standard"]


class ChannelRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One channel and its statistics, of the frames of the training windows.

    Args:
        name: Name of the channel.
        unit: Unit of the values that the dataset returns.
        level: Vertical level; None where there is none.
        mean: Mean of the known values, in the unit.
        std: Standard deviation, in the unit.
        min: Smallest value, in the unit.
        max: Largest value, in the unit.
        missing: Share of values that are missing.
    """

    name: str
    unit: str
    level: float | None = None
    mean: float
    std: float
    min: float
    max: float
    missing: float


class SequenceRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One sequence.

    Args:
        name: Name, a part of sample ids.
        num_frames: Number of frames.
        times: Time of each frame in ISO 8601; empty if unknown.
    """

    name: str
    num_frames: int
    times: list[str] = []


class FileRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One file that is read in place.

    Args:
        path: Absolute path.
        size: Size in bytes.
        modified_ns: Time of the last change, in nanoseconds.
        blake2b: Hash of the content.
    """

    path: str
    size: int
    modified_ns: int
    blake2b: str


class OptionsRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Options with which a source is read; see ``frame_sources.ReadOptions``."""

    variable: str | None = None
    axes: str | None = None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    nodata: float | None = None
    every: int = 1
    grey: bool = False


class FramesRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Content of ``frames.json``.

    Args:
        name: Name of the data in tables.
        source: Absolute path of the source.
        options: How the source is read.
        packed: Whether ``frames.npy`` has a copy of the frames; otherwise the source is read.
        files: Files of a source that is read in place.
        size: Height and width of the frames, after cropping.
        crop: Top and left of the frames in those of the source.
        scaling: How values become those of a net: ``number`` divides by ``divisor`` in the
            dataset; ``minmax`` and ``standard`` use the statistics in the method.
        divisor: Number that stored values are divided by; 1 for the others.
        lead: Length of a time step and its unit.
        channels: The channels with their statistics.
        sequences: The sequences.
        window: Input and target frames of a sample.
        stride: Distance of the windows of a split, in frames.
        by: What a split consists of: whole sequences, or spans of time.
        has_missing: Whether a value of any frame is missing.
        splits: Sequence and first frame of each window.
    """

    version: Literal[1] = 1
    name: str
    source: str
    options: OptionsRecord
    packed: bool
    files: list[FileRecord]
    size: tuple[int, int]
    crop: tuple[int, int]
    scaling: Scaling
    divisor: float
    lead: tuple[float, str]
    channels: list[ChannelRecord]
    sequences: list[SequenceRecord]
    window: tuple[int, int]
    stride: int
    by: Literal["sequence", "time"]
    has_missing: bool
    splits: dict[Literal["train", "val", "test"], list[tuple[int, int]]]

    def encoded(self) -> bytes:
        """Return the content of the file, with a line for each field."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        lines = (f'"{name}": {msgspec.json.encode(value).decode()}' for name, value in values)
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    @property
    def digest(self) -> str:
        """Short hash of the content, which identifies an import; paths and times are not in it."""
        plain = msgspec.structs.replace(
            self,
            source="",
            files=[msgspec.structs.replace(file, path="", modified_ns=0) for file in self.files],
        )
        return hashlib.blake2b(plain.encoded(), digest_size=8).hexdigest()

    @property
    def normalisation(self) -> tuple[list[float], list[float]] | None:
        """Mean and divisor of each channel, in the unit of the data; None if they are 0 and 1."""
        if self.scaling == "standard":
            return [c.mean for c in self.channels], [c.std for c in self.channels]
        if self.scaling == "minmax":
            return [c.min for c in self.channels], [c.max - c.min for c in self.channels]
        return None


def read_record(root: Path) -> FramesRecord:
    """Read ``frames.json`` of a folder.

    Raises:
        DatasetNotFoundError: If the folder has none.
        DataError: If it is damaged or of another version.
    """
    path = root / NAME
    if not path.is_file():
        raise DatasetNotFoundError(root, prepare=f"{IMPORT} SOURCE --out {root}")
    record = read_json(path, FramesRecord, advice=AGAIN)
    if missing := [split for split in SPLITS if not record.splits.get(split)]:  # type: ignore[call-overload]
        raise DataError(f"{path}: split {missing[0]!r} has no windows; {AGAIN}")
    return record
