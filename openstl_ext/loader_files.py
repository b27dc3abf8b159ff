"""Loader files (``<name>_loaders.json``): those of a folder, and the one that a name means."""

from pathlib import Path

from openstl_ext.errors import DataError
from openstl_ext.leftovers import is_leftover

SUFFIX = "_loaders.json"
DEFAULT = f"default{SUFFIX}"
"""File that is read where a folder has several and none is named."""


class ChoiceWarning(UserWarning):
    """One of several files is read, and none was named."""


def loader_files(root: Path) -> list[Path]:
    """List the loader files of a folder by name."""
    return sorted(path for path in root.glob(f"*{SUFFIX}") if not is_leftover(path.name))


def short_name(path: Path) -> str:
    """Return the shortest beginning of a name that means this file only; 8 characters at least."""
    name = path.name.removesuffix(SUFFIX)
    others = [o.name.removesuffix(SUFFIX) for o in loader_files(path.parent) if o.name != path.name]
    lengths = range(min(8, len(name)), len(name) + 1)
    return next(
        (name[:n] for n in lengths if not any(o.startswith(name[:n]) for o in others)), name
    )


def named(root: Path, name: str) -> Path | None:
    """Return the loader file that a name means: its file name, or the beginning of it.

    Raises:
        DataError: If several begin with it.
    """
    stem = name.removesuffix(SUFFIX)
    files = loader_files(root) if stem else []
    exact = [path for path in files if path.name in (name, f"{stem}{SUFFIX}")]
    found = exact or [path for path in files if path.name.startswith(stem)]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DataError(f"{root}: {name!r} is the beginning of several names: {names}; write more")
    return found[0] if found else None


def newest_of_several(root: Path) -> Path | None:
    """Return the newest loader file if a folder has several and no default."""
    found = preferred(root)
    is_choice = found is not None and found.name != DEFAULT and len(loader_files(root)) > 1
    return found if is_choice else None


def choice_of(path: Path) -> str:
    """Return a sentence about the newest of several files, and how to name one for good."""
    root = path.parent
    return (
        f"{root} has {len(loader_files(root))} loader files; {path.name} is read, the newest. "
        f"--data {root / short_name(path)} chooses it for good, and `openstl-ext data split "
        f"--data_path {root} --list` describes all"
    )


def preferred(root: Path) -> Path | None:
    """Return the loader file of a folder that is read without a name: the default, else the newest.

    By the time of the last change, and by name where that is equal.
    """
    files = loader_files(root)
    default = [path for path in files if path.name == DEFAULT]
    return max(
        default or files, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None
    )
