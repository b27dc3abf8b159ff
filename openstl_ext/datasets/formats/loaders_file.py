"""``<name>_loaders.json``: the frames of each sample, and the samples of each split."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import msgspec

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.json_file import read_json
from openstl_ext.loader_files import (
    DEFAULT,
    SUFFIX,
    loader_files,
    named,
    preferred,
    short_name,
)

NAMES = {"train": "train", "val": "validation", "test": "test"}
"""Names of our splits in the file."""

MAKE = "openstl-ext data split --data_path {root}"

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
        name: Its name in the folder, the beginning of it, or a path; by default
            ``default_loaders.json``, else the newest one.

    Raises:
        DatasetNotFoundError: If there is none; the message gives the command that makes one.
        DataError: If there is no such one, or if several begin with the name.
    """
    if name is None:
        found = preferred(root)
    else:
        found = next((path for path in (root / name, Path(name)) if path.is_file()), None)
        found = found or named(root, name)
    if found is not None:
        return found
    if name is not None and (others := loader_files(root)):
        described = "; ".join(map(describe, others))
        raise DataError(f"{root}: has no loader file {name!r}, but {described}; name one of these")
    raise DatasetNotFoundError(root / (name or f"*{SUFFIX}"), prepare=make_command(root))


def make_command(root: Path) -> str:
    """Return the command that makes a loader file."""
    return MAKE.format(root=shlex.quote(str(root)))


def describe(path: Path) -> str:
    """Return short name, date and number of samples of a loader file in one line."""
    when = datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
    content = read_json(path, LoadersFile, advice=f"make a new one: {make_command(path.parent)}")
    parts = {ours: part.samples for ours, n in NAMES.items() if (part := getattr(content, n))}
    sizes = ", ".join(f"{name} {len(samples)}" for name, samples in parts.items())
    lengths = {len(sample) for samples in parts.values() for sample in samples}
    frames = "-".join(map(str, sorted({min(lengths), max(lengths)}))) if lengths else "0"
    return f"{short_name(path)} ({when}: {sizes} samples of {frames} frames)"


def option_for(path: Path) -> str:
    """Return the option of the command line that makes all three loaders read a file."""
    return f"--data {shlex.quote(str(path.parent / short_name(path)))}"


def read(path: Path, split: str) -> Samples:
    """Read the paths of the frames of every sample of a split.

    Args:
        path: The file, ours or simvp_minimal's.
        split: One of train, val, test.

    Raises:
        DataError: If the file is damaged, has no such split, has a sample in two splits, or has a
            path that leads out of its folder.
    """
    make = make_command(path.parent)
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
    for sample in splits[split]:
        for frame in sample:
            _check_inside(frame, path)
    return splits[split]


def shortest_sample(path: Path) -> int:
    """Return the number of frames of the shortest sample of all splits.

    Raises:
        DataError: If the file is damaged, or has no sample of two frames or more.
    """
    make = MAKE.format(root=path.parent)
    content = read_json(path, LoadersFile, advice=f"make a new one: {make}")
    parts = [getattr(content, name) for name in NAMES.values()]
    shortest = min((len(s) for part in parts if part for s in part.samples), default=0)
    if shortest < 2:
        raise DataError(f"{path}: has no sample of two frames or more; make a new one: {make}")
    return shortest


def _check_inside(path: str, file: Path) -> None:
    """Raise an error for a path that leads out of the folder of its loader file.

    A path that was absolute on another computer does not exist here; ``resolve`` finds its frame
    in the folder. Links in the folder may lead anywhere: who can write them there needs no
    loader file.
    """
    pure, root = _pure(path), file.parent
    is_outside = ".." in pure.parts
    if not is_outside and Path(path).is_absolute() and Path(path).is_file():
        is_outside = not Path(path).resolve().is_relative_to(root.resolve())
    if is_outside:
        raise DataError(
            f"{file}: the frame {path} is outside of {root}; only frames below it are read, so "
            f"move the loader file there, or make a new one: {make_command(root)}"
        )


def _pure(path: str) -> PurePath:
    """Return a path with the slashes of any system."""
    return PureWindowsPath(path) if "\\" in path else PurePosixPath(path)


def folder_of(path: str) -> str:
    """Return the folder of a frame."""
    return _pure(path).parent.as_posix()


def key_of(path: str) -> tuple[str, str]:
    """Return the names of the sample and the frame of a path."""
    pure = _pure(path)
    return pure.parent.name, pure.stem


def resolve(path: str, root: Path) -> Path:
    """Return the present path of a frame, which is below a folder.

    If the data were moved, or the path is relative to another folder, its last two parts are
    relative to the folder.

    Args:
        path: The path in the loader file.
        root: Folder of the loader file.

    Raises:
        DataError: If the frame is not in the folder.
    """
    pure = _pure(path)
    place = root / pure.parent.name / pure.name
    if not pure.is_absolute() and (root / pure).is_file():
        return root / pure
    if Path(path).is_absolute() and Path(path).resolve().is_relative_to(root.resolve()):
        place = Path(path)
    if not place.is_file():
        raise DataError(f"{place} (sample {pure.parent.name}): this frame is missing")
    return place


def write(
    root: Path,
    splits: Mapping[str, tuple[float, Sequence[Sequence[str]]]],
    *,
    as_default: bool = False,
    name: str | None = None,
) -> Path:
    """Write the splits to a file.

    The first file of a folder is its default, which a later one does not replace, so that configs
    and resumed runs read the same splits.

    Args:
        root: Folder of the data; the paths are relative to it, so that it can be moved.
        splits: Ratio and samples by our name of the split; empty splits are left out.
        as_default: Make it the default; the present default is kept under another name.
        name: Beginning of the file name; by default that of its hash, or ``default``.

    Returns:
        The file; that of equal splits if there is one, and no name is given.

    Raises:
        DataError: If a file of this name has other splits.
    """
    record: dict[str, Any] = {
        NAMES[name]: {"ratio": ratio, "samples": samples}
        for name, (ratio, samples) in splits.items()
        if samples
    }
    identity = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    content = json.dumps({**record, "id": identity}, indent=4).encode()
    if name is not None:
        return _write_named(root, name, content)
    default = root / DEFAULT
    present = {path: path.read_bytes() for path in loader_files(root)}
    if len(present) == 1 and default not in present:  # it was read without being named so far
        (present[default],) = present.values()
        atomic_write(default, present[default])
    equal = [path for path, written in present.items() if written == content]
    if not present or (as_default and default not in equal):
        if default in present:
            former = hashlib.sha256(present[default]).hexdigest()
            atomic_write(root / f"{former[:8]}{SUFFIX}", present[default])
        atomic_write(default, content)
        return default
    if default in equal or equal:
        return default if default in equal else equal[0]
    own = root / f"{identity[:8]}{SUFFIX}"
    atomic_write(own, content)
    return own


def _write_named(root: Path, name: str, content: bytes) -> Path:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise DataError(f"--name {name!r}: a name has letters, digits, '_', '-' and '.' only")
    path = root / f"{name}{SUFFIX}"
    if path.is_file() and path.read_bytes() != content:
        raise DataError(f"{path} has other splits; choose another --name, or remove it")
    atomic_write(path, content)
    return path
