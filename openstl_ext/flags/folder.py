"""Move a config to other data: its datasets, and the files beside them."""

import os
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from openstl_ext.errors import ConfigError
from openstl_ext.flags.changes import Changes
from openstl_ext.flags.parts import WITH_DATA, Part, datasets
from openstl_ext.loader_files import (
    ChoiceWarning,
    choice_of,
    loader_files,
    named,
    newest_of_several,
    short_name,
)

MOVED = ("model", *WITH_DATA)
"""Blocks whose paths move with the data."""


def move_data(changes: Changes, path: Path) -> None:
    """Set the folder of all datasets, and each path in the config that lies in the former folder.

    Statistics and lists beside the data move with them, and so do the commands that make them.
    Where a training is validated on another set in a folder of its own, that one stays, with a
    warning, unless the path has a folder for each of both, named as before.

    Args:
        changes: Changes of the config.
        path: The folder, or a loader file in it; its name may be shortened.

    Raises:
        ConfigError: If the datasets are in folders that one does not replace, or the path is a
            file that no dataset of the config reads.
    """
    parts = [part for part in datasets(changes.config) if part.arguments("data")]
    if not parts:
        raise ConfigError("--data: no dataset of this config has an argument for its folder")
    folder, loaders = _split(path.expanduser(), parts)
    above = _folder_of_all(parts, folder)
    parts, kept = (parts, []) if above else _moved_and_kept(parts)
    keys = [_key(part) for part in parts]
    unstated = [part for part in parts if not changes.stated(_key(part))]
    former = above or _common_root(unstated or parts)
    for part in parts:
        (argument,) = part.arguments("data")
        root = str(part.value(argument))
        below = root.removeprefix(former) if root.startswith(f"{former}/") else ""
        moved = folder.as_posix() + below
        changes.set(f"{part.where}.{argument}", moved, option="--data")
        if loaders is not None:
            (key,) = part.arguments("loaders")
            changes.set(f"{part.where}.{key}", loaders, option="--data")
    # a folder of several sets, such as data, may also be a word of a command
    end = "/" if above else r"/|\s|$"
    inside = re.compile(rf"(?<![\w./-]){re.escape(former)}(?={end})")
    for key, text in _texts({name: changes.config.get(name) for name in MOVED}):
        if key not in keys and inside.search(text):
            moved = inside.sub(lambda _: folder.as_posix(), text)
            changes.set(key, moved, option="--data", follows=True)
    if kept := [part for part in kept if not changes.stated(_key(part))]:
        listed = " ".join(f"{_key(part)}={_root(part)}" for part in kept)
        warnings.warn(
            f"--data moves the training data only; the validation reads another set, which stays: "
            f"{listed}; --cfg-options sets it",
            ChoiceWarning,
            stacklevel=2,
        )


def choose_loaders(changes: Changes) -> None:
    """Name the newest loader file where a folder has several and the config names none.

    The choice is stored with the overrides, so that a test of the run reads the same file.
    """
    chosen: set[Path] = set()
    for part in datasets(changes.config, WITH_DATA) if _may_choose(changes) else ():
        for key in part.arguments("loaders"):
            root = Path(str(changes.get(f"{part.where}.{part.arguments('data')[0]}")))
            where = f"{part.where}.{key}"
            if changes.get(where) is None and (newest := newest_of_several(root)):
                changes.set(where, newest.name, option="--data", follows=True)
                chosen.add(newest)
    for path in chosen:
        warnings.warn(choice_of(path), ChoiceWarning, stacklevel=2)


def _may_choose(changes: Changes) -> bool:
    """Return whether a dataset has several loader files; looking up classes imports torch."""
    roots = {
        str(changes.get(key) or text)
        for key, text in _texts({name: changes.config.get(name) for name in WITH_DATA})
        if key.endswith(".root")
    }
    added = {str(change.value) for key, change in changes if key.endswith(".root")}
    return any(newest_of_several(Path(root)) for root in roots | added)


def _key(part: Part) -> str:
    return f"{part.where}.{part.arguments('data')[0]}"


def _root(part: Part) -> str:
    return str(part.value(part.arguments("data")[0]))


def _folder_of_all(parts: list[Part], folder: Path) -> str | None:
    """Return the folder above those of several sets, if the new one has them all too."""
    roots = {_root(part) for part in parts}
    if _shared_root(roots) is not None or any(Path(root).is_absolute() for root in roots):
        return None
    above = os.path.commonpath(roots)
    names = [Path(root).relative_to(above) for root in roots]
    return above if above and all((folder / name).is_dir() for name in names) else None


def _moved_and_kept(parts: list[Part]) -> tuple[list[Part], list[Part]]:
    """Return the datasets that move, and those of another set that only validates the training."""
    trained = {part.cls for part in parts if part.where.startswith("train_dataloader")}
    kept = [part for part in parts if part.cls not in trained]
    is_one = _shared_root({_root(part) for part in parts}) is not None
    if is_one or not trained or any(part.where.startswith("test_") for part in kept):
        return parts, []
    return [part for part in parts if part not in kept], kept


def _shared_root(roots: Collection[str]) -> str | None:
    """Return the folder that is the same as all others, or above them; None if there is none."""
    shortest = min(roots, key=len)
    return shortest if all(f"{root}/".startswith(f"{shortest}/") for root in roots) else None


def _common_root(parts: list[Part]) -> str:
    """Return the folder that all datasets are in: the same one, or one above the others."""
    if (former := _shared_root([_root(part) for part in parts])) is None:
        listed = " ".join(f"{_key(part)}={_root(part)}" for part in parts)
        raise ConfigError(
            "--data names one folder, but this config has several; set each with --cfg-options "
            f"{listed}"
        )
    return former


def _split(path: Path, parts: list[Part]) -> tuple[Path, str | None]:
    """Return the folder, and the loader file if the path names one."""
    if path.is_dir() or not path.parent.is_dir():
        return path, None
    takes_files = all(part.arguments("loaders") for part in parts)
    if takes_files and (found := named(path.parent, path.name)):
        return path.parent, found.name
    if path.is_file():
        raise ConfigError(f"--data {path} is a file that this config does not read; give a folder")
    if takes_files and (others := loader_files(path.parent)):
        names = ", ".join(map(short_name, others))
        raise ConfigError(
            f"--data {path}: there is no such folder, and no loader file of that name in "
            f"{path.parent}, which has {names}"
        )
    return path, None


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in nested dicts and lists with their dotted keys."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping | list | tuple):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            yield from _texts(inner, f"{where}.{key}" if where else str(key))
