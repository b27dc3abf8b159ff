"""Mean and standard deviation of named channels, as a file beside the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.json_file import read_json

GROUPS = ("frames", "dynamic", "static")
"""Fields of the inputs with separate statistics."""
CONVERT = "python tools/prepare_data/lts_segmentation.py convert"
"""Command that converts pickled statistics; ST-Mamba's are supported."""


@dataclass(frozen=True, kw_only=True)
class ChannelStatistics:
    """Mean and standard deviation of some channels, in data units.

    Args:
        names: Names of the channels, in order.
        mean: Mean of each channel.
        std: Standard deviation of each channel, positive.
        count: Number of valid values of each channel; empty if unknown.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    count: tuple[int, ...] = ()


class StatisticsFile(msgspec.Struct):
    """Content of a file of statistics."""

    about: dict[str, Any] | None = None
    frames: ChannelStatistics | None = None
    dynamic: ChannelStatistics | None = None
    static: ChannelStatistics | None = None


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of the training part of a dataset, for the fields of its inputs.

    Args:
        groups: Statistics by field: frames, dynamic, static.
        about: Origin of the statistics, for a reader of the file.
    """

    groups: Mapping[str, ChannelStatistics]
    about: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the statistics to a file atomically."""
        content = {"about": dict(self.about), **{k: asdict(v) for k, v in self.groups.items()}}
        atomic_write(Path(path), (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: str | Path, *, prepare: str) -> "Statistics":
        """Read the statistics of a file.

        Args:
            path: JSON file, written by ``write``.
            prepare: Command that makes the file.

        Raises:
            DatasetNotFoundError: If the file does not exist.
            DataError: If a field is missing or has a wrong type or value.
        """
        path = Path(path)
        if path.suffix in (".pkl", ".pickle"):
            raise DataError(f"{path}: a pickle can run code and is not read; convert it: {CONVERT}")
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare=prepare)
        content = read_json(path, StatisticsFile, advice=f"make it again: {prepare}")
        groups = {name: found for name in GROUPS if (found := getattr(content, name))}
        if not groups:
            raise DataError(f"{path}: has none of {', '.join(GROUPS)}; make it again: {prepare}")
        for name, group in groups.items():
            _check(group, f"{path}: statistics of {name}")
        return cls(groups=groups, about=content.about or {})

    def of(self, group: str, names: Sequence[str], *, path: str | Path) -> ChannelStatistics:
        """Return the statistics of one field, after comparing names and order of its channels.

        Args:
            group: The field.
            names: Channels of the data, in order.
            path: File of these statistics, for the message.

        Raises:
            DataError: If the channels or their order differ.
        """
        found = self.groups.get(group)
        if found is None:
            raise DataError(f"{path} has no statistics of {group}, which are needed for {names}")
        if found.names != tuple(names):
            raise DataError(
                f"{path}: statistics of {group} are of {', '.join(found.names)}, but the data "
                f"have {', '.join(names)}; make statistics of these channels in this order"
            )
        return found


def _check(group: ChannelStatistics, place: str) -> None:
    if not len(group.names) == len(group.mean) == len(group.std):
        raise DataError(
            f"{place} have {len(group.names)} names, {len(group.mean)} means and "
            f"{len(group.std)} standard deviations; expected one of each per channel"
        )
    for channel, std in zip(group.names, group.std, strict=True):
        if std <= 0:
            raise DataError(f"{place}: std of {channel} is {std}, expected a positive number")
