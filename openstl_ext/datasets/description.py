"""Description of the data of a folder: splits, values, licence, beside the published set."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import headline, section
from openstl_ext.datasets.recognition import recognise
from openstl_ext.datasets.summary import ValueTally, summarise
from openstl_ext.errors import DataError, UserError


@dataclass(frozen=True)
class OpenedSplits:
    """Datasets of the splits of a folder.

    Args:
        datasets: The dataset of each split that can be read.
        problems: Why another split cannot be read, in one sentence.
    """

    datasets: dict[str, SequenceDataset]
    problems: dict[str, str]


def open_splits(
    cls: type[SequenceDataset], root: Path, arguments: Mapping[str, Mapping[str, Any]]
) -> OpenedSplits:
    """Open the splits of a folder.

    Args:
        cls: The dataset.
        root: Its folder.
        arguments: Other arguments of each split.

    Raises:
        DataError: If no split can be read.
        UserError: If there is no argument of a name.
    """
    datasets, problems = {}, {}
    for name, given in arguments.items():
        try:
            settings: dict[str, Any] = {"split": name, **given}
            datasets[name] = cls(root=str(root), **settings)  # type: ignore[call-arg]
        except UserError as error:
            problems[name] = str(error)
        except TypeError as error:
            raise UserError(f"{cls.__name__}: {error}; correct --set") from None
    if not datasets:
        raise DataError(next(iter(problems.values())))
    return OpenedSplits(datasets, problems)


def describe(
    cls: type[SequenceDataset],
    root: Path,
    opened: OpenedSplits,
    *,
    most: int | None,
    seed: Callable[[int], None],
) -> dict[str, Any]:
    """Return the description as plain values.

    Args:
        cls: The dataset.
        root: Its folder.
        opened: The splits.
        most: Samples of each split whose values are read; None for all.
        seed: Called with the index before a sample is read.

    Raises:
        DataError: If a sample cannot be read.
    """
    tally = ValueTally()
    splits = {
        name: summarise(dataset, name, tally, most=most, seed=seed)
        for name, dataset in opened.datasets.items()
    }
    metainfo = next(iter(opened.datasets.values())).metainfo
    num_files, num_bytes = disk_use(root)
    read = sum(split.num_read for split in splits.values())
    total = sum(split.num_samples for split in splits.values())
    return {
        "root": str(root),
        "dataset": cls.__name__,
        "also_read_by": [c.__name__ for c in others(cls, root)],
        "summary": headline(cls),
        "synthetic": metainfo.synthetic,
        "files": num_files,
        "bytes": num_bytes,
        "lead": list(metainfo.lead),
        "splits": {name: asdict(split) for name, split in splits.items()},
        "problems": opened.problems,
        "values_of": "all samples" if read == total else f"{read:,} of {total:,} samples",
        "values": [asdict(found) for found in tally.ranges],
        "classes": tally.shares(metainfo.classes),
        "units": section(cls, "Channels and units"),
        "rule_of_splits": section(cls, "Splits"),
        "licence": section(cls, "Licence") or "not stated: that of your data",
        "published": {
            "samples": dict(cls.card.samples),
            "shape": cls.card.shape,
            "note": cls.card.note,
        },
    }


def others(cls: type[SequenceDataset], root: Path) -> list[type[SequenceDataset]]:
    """Return the other datasets that read a folder."""
    try:
        return [found for found in recognise(root) if found is not cls]
    except UserError:  # the folder was named by --as, or by a config of a plugin
        return []


def disk_use(root: Path) -> tuple[int, int]:
    """Return the number of the files of a folder and their bytes; links are not followed."""
    count = size = 0
    for folder, _, names in os.walk(root):
        for name in names:
            count += 1
            size += os.lstat(os.path.join(folder, name)).st_size
    return count, size
