"""``<id>_loaders.json``: which frames of which sample belong to which split."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path, PureWindowsPath
from typing import Any

from openstl_ext.atomic_io import atomic_file
from openstl_ext.errors import DataError, DatasetNotFoundError

SUFFIX = "_loaders.json"
NAMES = {"train": "train", "val": "validation", "test": "test"}
"""What our splits are called in the file."""

MAKE = "openstl-ext data split --data_path {root}"

Samples = list[list[str]]


def find(root: Path, name: str | None = None) -> Path:
    """The loader file of a folder.

    Args:
        root: Folder of the data.
        name: Its name in the folder, or a path; needed where the folder has several.

    Raises:
        DatasetNotFoundError: If there is none; it gives the command that makes one.
        DataError: If there are several and none was named.
    """
    make = MAKE.format(root=root)
    if name is not None:
        inside = [path for path in (root / name, Path(name)) if path.is_file()]
        if not inside:
            raise DatasetNotFoundError(root / name, prepare=make)
        return inside[0]
    found = sorted(root.glob(f"*{SUFFIX}"))
    if not found:
        raise DatasetNotFoundError(root / f"*{SUFFIX}", prepare=make)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DataError(f"{root}: several loader files ({names}); choose one with `loaders=`")
    return found[0]


def read(path: Path, split: str) -> Samples:
    """Paths of the frames of every sample of a split, as they stand in the file.

    Args:
        path: The file, ours or simvp_minimal's.
        split: One of train, val, test.

    Raises:
        DataError: If the file is damaged, has no such split, or puts one sample into two splits.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        splits = {ours: record[name]["samples"] for ours, name in NAMES.items() if name in record}
        paths = [p for samples in splits.values() for sample in samples for p in sample]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a readable loader file ({error!r})") from error
    if not all(isinstance(p, str) for p in paths):
        raise DataError(f"{path}: a sample is a list of paths; frames within the file are refused")
    folders = {name: {folder_of(p) for s in ss for p in s} for name, ss in splits.items()}
    for one, other in combinations(folders, 2):
        if shared := sorted(folders[one] & folders[other]):
            raise DataError(
                f"{path}: sample {shared[0]} is in {one} and in {other} ({len(shared)} such); "
                "a score on it would be a memory test, so make a new loader file"
            )
    if not splits.get(split):
        raise DataError(
            f"{path}: has no {NAMES[split]} split, and another does not stand in for it; make one: "
            + MAKE.format(root=path.parent)
            + {"train": " --train_ratio 0.7", "val": " --val_ratio 0.15"}.get(split, "")
        )
    return [list(sample) for sample in splits[split]]


def folder_of(path: str) -> str:
    """Where a frame lies, whichever system's slashes the path has."""
    return PureWindowsPath(path).parent.as_posix()


def key_of(path: str) -> tuple[str, str]:
    """Sample and frame that a path means, wherever its folder has gone."""
    pure = PureWindowsPath(path)
    return pure.parent.name, pure.stem


def resolve(path: str, root: Path) -> Path:
    """Where a frame is now.

    A path counts from the loader file's folder, else from the working directory. If neither has
    it, the data were moved, and its last two parts are looked for beside the loader file.

    Args:
        path: As it stands in the file.
        root: Folder of the loader file.

    Raises:
        DataError: If it is nowhere.
    """
    pure = PureWindowsPath(path)
    native = path if Path(path).is_absolute() else pure.as_posix()
    places = (root / native, Path(native), root / pure.parent.name / pure.name)
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{places[-1]} (sample {pure.parent.name}): this frame is missing")


def write(root: Path, splits: Mapping[str, tuple[float, Sequence[Sequence[str]]]]) -> Path:
    """Write the splits under the name that is their hash.

    Args:
        root: Folder of the data; the paths count from here, so that the folder may move.
        splits: Ratio and samples by our name of the split; empty splits are left out.

    Returns:
        The file. Equal splits have the same name, so nothing is written twice.
    """
    record: dict[str, Any] = {
        NAMES[name]: {"ratio": ratio, "samples": samples}
        for name, (ratio, samples) in splits.items()
        if samples
    }
    identity = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    path = root / f"{identity}{SUFFIX}"
    if not path.is_file():
        with atomic_file(path) as file:
            file.write(json.dumps({**record, "id": identity}, indent=4).encode())
    return path
