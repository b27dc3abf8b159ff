"""Move a config to other data: its datasets, and the files beside them."""

import re
import warnings
from collections.abc import Iterator, Mapping
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
    keys = [f"{part.where}.{argument}" for part in parts for argument in part.arguments("data")]
    unstated = [part for part, key in zip(parts, keys, strict=True) if not changes.stated(key)]
    former = _common_root(unstated or parts)
    folder, loaders = _split(path.expanduser(), parts)
    for part in parts:
        (argument,) = part.arguments("data")
        root = str(part.value(argument))
        below = root.removeprefix(former) if root.startswith(f"{former}/") else ""
        moved = folder.as_posix() + below
        changes.set(f"{part.where}.{argument}", moved, option="--data")
        if loaders is not None:
            (key,) = part.arguments("loaders")
            changes.set(f"{part.where}.{key}", loaders, option="--data")
    inside = re.compile(rf"(?<![\w./-]){re.escape(former)}(?=/|\s|$)")
    for key, text in _texts({name: changes.config.get(name) for name in MOVED}):
        if key not in keys and inside.search(text):
            moved = inside.sub(lambda _: folder.as_posix(), text)
            changes.set(key, moved, option="--data", follows=True)


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


def _common_root(parts: list[Part]) -> str:
    """Return the folder that all datasets are in: the same one, or one above the others."""
    roots = {part.where: str(part.value(part.arguments("data")[0])) for part in parts}
    former = min(roots.values(), key=len)
    if any(f"{root}/".removeprefix(f"{former}/") == f"{root}/" for root in roots.values()):
        listed = ", ".join(f"{where}.root={root}" for where, root in roots.items())
        raise ConfigError(
            f"--data names one folder, but this config has several: {listed}; set each with "
            "--cfg-options"
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
