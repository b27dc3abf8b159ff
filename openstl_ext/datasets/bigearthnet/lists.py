"""Split lists of BigEarthNet, version 1: the official pairs, and SMARTIES' lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.bigearthnet.patches import Patch, paired
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.text_file import read_lines

SplitLists = Literal["official", "smarties", "smarties_10_percent", "smarties_1_percent"]

OFFICIAL = "bigearthnet-{split}.csv"
OFFICIAL_PLACE = "git.tu-berlin.de/rsim/BigEarthNet-MM_19-classes_models (splits/{}.csv)"
SMARTIES_PLACE = "SMARTIES' repository (copy its folder eval_splits)"
SMARTIES = {
    "smarties": "train",
    "smarties_10_percent": "train10prcnt",
    "smarties_1_percent": "train1prcnt",
}
"""Training list of each rule; all are tested on ``val``."""


def read_patches(
    root: Path, rule: str, split: str, sensors: Sequence[str], removal_lists: Sequence[str]
) -> list[Patch]:
    """Read the patches of a split, in the order of its list.

    Args:
        root: Folder with the lists.
        rule: Which lists.
        split: One of train, val, test.
        sensors: Sensors of the dataset; SMARTIES has a list for each and one of pairs.
        removal_lists: Files below the root, each with names of Sentinel-2 patches to leave out.

    Raises:
        ConfigError: If the lists have no such split, or no names of Sentinel-2.
        DataError: If a list is missing or empty, has a line that is no name, or an other list of
            the rule has a patch of this one.
    """
    paths = _paths(root, rule, sensors)
    if split not in paths:
        raise ConfigError(
            "the lists of SMARTIES have two parts, train and test, so there is no val; to validate "
            "as published, set split='test' in val_dataloader, which the record states, or use "
            "split_lists='official'"
        )
    if not paths[split].is_file():
        place = OFFICIAL_PLACE if rule == "official" else SMARTIES_PLACE
        raise DataError(
            f"{paths[split]}: there is no such split list; fetch it from {place.format(split)}"
        )
    patches = _read(paths[split])
    ids = {patch.id for patch in patches}
    if len(ids) < len(patches):
        raise DataError(f"{paths[split]}: names a patch twice; fetch the list again")
    for name, path in paths.items():
        if name != split and path.is_file():
            shared = sorted(ids & {patch.id for patch in _read(path)})
            if shared:
                raise DataError(
                    f"{paths[split]} and {path.name} share {len(shared)} patches, such as "
                    f"{shared[0]}; remove them from one"
                )
    return _without(patches, [root / name for name in removal_lists], paths[split])


def _paths(root: Path, rule: str, sensors: Sequence[str]) -> dict[str, Path]:
    if rule == "official":
        return {split: root / OFFICIAL.format(split=split) for split in SPLITS}
    kind = "MM" if len(sensors) > 1 else {"sentinel2": "S2", "sentinel1": "S1"}[sensors[0]]
    folder = root / "eval_splits"
    return {
        "train": folder / f"BigEarthNet-{kind}-{SMARTIES[rule]}.txt",
        "test": folder / f"BigEarthNet-{kind}-val.txt",
    }


def _read(path: Path) -> list[Patch]:
    lines = read_lines(path)
    if not lines:
        raise DataError(f"{path}: the list is empty; fetch it again")
    if path.suffix == ".csv":
        return list(paired((line.split(",") for line in lines), path))
    if path.name.startswith("BigEarthNet-MM"):
        return list(paired((line.split() for line in lines), path))
    is_s2 = path.name.startswith("BigEarthNet-S2")
    for line in lines:
        if not line.startswith("S2" if is_s2 else "S1") or len(line.split()) != 1:
            raise DataError(f"{path}: {line[:80]!r} is not the name of a patch; fetch it again")
    return [Patch(s2=line) if is_s2 else Patch(s1=line) for line in lines]


def _without(patches: list[Patch], removals: Sequence[Path], path: Path) -> list[Patch]:
    if removals and any(not patch.s2 for patch in patches):
        raise ConfigError(
            f"removal_lists have names of Sentinel-2, and {path.name} has none; use "
            "split_lists='official', whose lists are without these patches"
        )
    removed = read_removals(removals, patches[0].s2)
    kept = [patch for patch in patches if patch.s2 not in removed]
    if not kept:
        raise DataError(f"{path}: removal_lists remove all {len(patches)} patches; shorten them")
    return kept


def read_removals(paths: Sequence[Path], example: str) -> set[str]:
    """Read the names of patches to leave out.

    Args:
        paths: Lists of names, one a line.
        example: Name of a patch of the set.

    Raises:
        DataError: If no name of a list has as many fields as the example, as where the list is of
            the other version, so that nothing would be left out.
    """
    removed: set[str] = set()
    for path in paths:
        names = {line.split(",")[0].strip() for line in read_lines(path)}
        if names and not any(name.count("_") == example.count("_") for name in names):
            raise DataError(
                f"{path}: has names such as {min(names)}, but those of the set are as {example}; "
                "use the list of this version"
            )
        removed |= names
    return removed
