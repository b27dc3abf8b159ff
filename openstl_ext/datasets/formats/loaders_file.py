"""``<id>_loaders.json``: the frames of each sample, and the samples of each split."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path, PureWindowsPath
from typing import Any

import msgspec

from openstl_ext.atomic_io import atomic_file
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.json_file import read_json

SUFFIX = "_loaders.json"
NAMES = {"train": "train", "val": "validation", "test": "test"}
"""Names of our splits in the file."""

MAKE = "python tools/prepare_data/create_dataloader.py --data_path {root}"

Samples = list[list[str]]


class LoadersSplit(msgspec.Struct):
    """One split of a loader file; ``samples`` are paths of frames."""

    samples: Samples


class LoadersFile(msgspec.Struct):
    """Content of a loader file; other fields are ignored."""

    train: LoadersSplit | None = None
    validation: LoadersSplit | None = None
    test: LoadersSplit | None = None


def find(root: Path, name: str | None = None) -> Path:
    """Find the loader file of a folder.

    Args:
        root: Folder of the data.
        name: Its name in the folder, or a path; required only if the folder has several.

    Raises:
        DatasetNotFoundError: If there is none; the message gives the command that makes one.
        DataError: If there are several and ``name`` is not given.
    """
    if name is None:
        found = sorted(root.glob(f"*{SUFFIX}"))
    else:
        found = [path for path in (root / name, Path(name)) if path.is_file()][:1]
    if not found:
        raise DatasetNotFoundError(root / (name or f"*{SUFFIX}"), prepare=MAKE.format(root=root))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DataError(f"{root}: several loader files ({names}); choose one with `loaders=`")
    return found[0]


def read(path: Path, split: str) -> Samples:
    """Read the paths of the frames of every sample of a split.

    Args:
        path: The file, ours or simvp_minimal's.
        split: One of train, val, test.

    Raises:
        DataError: If the file is damaged, has no such split, or has a sample in two splits.
    """
    make = MAKE.format(root=path.parent)
    content = read_json(path, LoadersFile, advice=f"make a new one: {make}")
    parts = {ours: getattr(content, name) for ours, name in NAMES.items()}
    splits = {name: part.samples for name, part in parts.items() if part}
    folders = {name: {folder_of(p) for s in ss for p in s} for name, ss in splits.items()}
    for one, other in combinations(folders, 2):
        if shared := sorted(folders[one] & folders[other]):
            raise DataError(
                f"{path}: sample {shared[0]} is in {one} and in {other} ({len(shared)} such); "
                f"make a new loader file: {make}"
            )
    if not splits.get(split):
        ratio = {"train": " --train_ratio 0.7", "val": " --val_ratio 0.15"}.get(split, "")
        raise DataError(
            f"{path}: has no {NAMES[split]} split, and no other split replaces it; make one: "
            f"{make}{ratio}"
        )
    return splits[split]


def folder_of(path: str) -> str:
    """Return the folder of a frame, for paths with the slashes of any system."""
    return PureWindowsPath(path).parent.as_posix()


def key_of(path: str) -> tuple[str, str]:
    """Return the names of the sample and the frame of a path."""
    pure = PureWindowsPath(path)
    return pure.parent.name, pure.stem


def resolve(path: str, root: Path) -> Path:
    """Return the present path of a frame.

    A path is relative to the loader file's folder or to the working directory. If the data were
    moved, its last two parts are relative to the loader file's folder.

    Args:
        path: The path in the loader file.
        root: Folder of the loader file.

    Raises:
        DataError: If the frame is in none of these places.
    """
    pure = PureWindowsPath(path)
    native = path if Path(path).is_absolute() else pure.as_posix()
    places = (root / native, Path(native), root / pure.parent.name / pure.name)
    for place in places:
        if place.is_file():
            return place
    raise DataError(f"{places[-1]} (sample {pure.parent.name}): this frame is missing")


def write(root: Path, splits: Mapping[str, tuple[float, Sequence[Sequence[str]]]]) -> Path:
    """Write the splits to a file named by their hash.

    Args:
        root: Folder of the data; the paths are relative to it, so that it can be moved.
        splits: Ratio and samples by our name of the split; empty splits are left out.

    Returns:
        The file. Equal splits have the same name.
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
