"""Mean and standard deviation of named channels, as a file that travels with the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, DatasetNotFoundError

GROUPS = ("frames", "dynamic", "static")
"""Fields of the inputs that have statistics of their own."""
CONVERT = "openstl-ext data lts convert"
"""Command that takes over statistics which were pickled; only ST-Mamba's are known."""


@dataclass(frozen=True, kw_only=True)
class ChannelStatistics:
    """Mean and spread of some channels, in data units.

    Args:
        names: Of the channels, in order.
        mean: One a channel.
        std: One a channel, positive.
        count: Valid values that were counted, one a channel; empty where unknown.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    count: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of the training part of a dataset, for each field of the inputs that has any.

    Args:
        groups: By field: frames, dynamic, static.
        about: What they were taken from, for whoever reads the file.
    """

    groups: Mapping[str, ChannelStatistics]
    about: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace a file by these, whole."""
        content = {"about": dict(self.about), **{k: asdict(v) for k, v in self.groups.items()}}
        atomic_write(Path(path), (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: str | Path, *, prepare: str) -> "Statistics":
        """The statistics of a file.

        Args:
            path: JSON, as ``write`` leaves it.
            prepare: Command that makes the file.

        Raises:
            DatasetNotFoundError: If the file is not there.
            DataError: If it is not what it should be; it names the file and the field.
        """
        path = Path(path)
        if path.suffix in (".pkl", ".pickle"):
            raise DataError(f"{path}: a pickle may run code and is not read; convert it: {CONVERT}")
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare=prepare)
        try:
            content = json.loads(path.read_bytes())
        except ValueError as error:
            raise DataError(f"{path} is no JSON ({error}); make it anew: {prepare}") from None
        if not isinstance(content, dict) or not set(content) & set(GROUPS):
            raise DataError(
                f"{path}: none of {', '.join(GROUPS)} is in it; make it anew: {prepare}"
            )
        groups = {name: _group(path, name, content[name]) for name in GROUPS if name in content}
        return cls(groups=groups, about=content.get("about") or {})

    def of(self, group: str, names: Sequence[str], *, path: str | Path) -> ChannelStatistics:
        """Those of one field, if they are of these channels in this order.

        Args:
            group: The field.
            names: Channels as they are yielded.
            path: Where these statistics come from, for the message.

        Raises:
            DataError: If the channels are others, or in another order.
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


def _group(path: Path, name: str, content: Any) -> ChannelStatistics:
    """One field of the file, checked."""
    try:
        found = ChannelStatistics(
            names=tuple(str(n) for n in content["names"]),
            mean=tuple(float(v) for v in content["mean"]),
            std=tuple(float(v) for v in content["std"]),
            count=tuple(int(v) for v in content.get("count", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: {name} needs names, mean and std ({error!r})") from None
    if not len(found.names) == len(found.mean) == len(found.std):
        raise DataError(
            f"{path}: {name} has {len(found.names)} names, {len(found.mean)} means "
            f"and {len(found.std)} standard deviations"
        )
    for channel, mean, std in zip(found.names, found.mean, found.std, strict=True):
        if not (std > 0 and abs(mean) < float("inf") and std < float("inf")):
            raise DataError(f"{path}: {name} of {channel} has mean {mean} and std {std}")
    return found
