"""Check output paths before the work whose result they receive."""

import os
from collections.abc import Sequence
from pathlib import Path

from openstl_ext.errors import ConfigError

LONGEST = 255
"""Bytes of a name on the usual file systems."""


def check_file(
    path: Path, *, option: str, suffixes: Sequence[str] = (), sources: Sequence[Path] = ()
) -> None:
    """Check that a file can be written; nothing is created.

    Args:
        path: The file; an existing one is replaced later.
        option: Option that gave the path, for messages.
        suffixes: Accepted ends of the name, with the dot, in lower case; none accepts all.
        sources: Inputs, which must not be replaced.

    Raises:
        ConfigError: If the suffix is wrong, the path is a folder, a device or an input, a name is
            too long, or the folder cannot be written.
    """
    _check_names(path, option)
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} {path}: the name must end with {' or '.join(suffixes)}")
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder; choose a file name")
    if path.exists() and not path.is_file():
        raise ConfigError(f"{option} {path} is a device; choose a file name")
    if any(_real(path) == _real(source) for source in sources):
        raise ConfigError(f"{option} {path} is the same file as the input; choose another name")
    check_folder(path.parent, option=option)


def check_folder(path: Path, *, option: str) -> None:
    """Check that a folder exists and can be written, or can be made; nothing is created.

    Raises:
        ConfigError: If a part of the path is a file, a name is too long, or the nearest folder
            cannot be written.
    """
    _check_names(path, option)
    place = path.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise ConfigError(f"{option} {path}: {place} is not a folder; choose another path")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ConfigError(f"{option} {path}: {place} cannot be written; choose another path")


def _check_names(path: Path, option: str) -> None:
    for name in path.parts:
        if (size := len(os.fsencode(name))) > LONGEST:
            raise ConfigError(
                f"{option} {name[:20]}...: this name has {size} bytes, at most {LONGEST} are "
                "possible; choose a shorter one"
            )


def _real(path: Path) -> str:
    return os.path.realpath(path)
