"""Output files and folders of predictions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.errors import ConfigError

ABOUT = "prediction.json"
"""File with the origin of a folder of predictions; a folder with it may be replaced."""


@contextmanager
def answer_folder(path: Path, about: dict[str, Any], *, source: Path) -> Iterator[Path]:
    """Create a folder for predictions, renamed to its final name when it is complete.

    Args:
        path: Final name. Only a folder of earlier predictions, or an empty one, is replaced.
        about: Content of ``prediction.json``.
        source: The input, which must not be in the folder.

    Raises:
        ConfigError: If the path is another file or folder, which is not deleted.
    """
    if path.exists() and not (
        path.is_dir() and ((path / ABOUT).is_file() or not any(path.iterdir()))
    ):
        raise ConfigError(
            f"--out {path} exists and does not contain earlier predictions, so it is not replaced; "
            "choose a new folder"
        )
    if path.resolve() in (source.resolve(), *source.resolve().parents):
        raise ConfigError(f"--out {path} contains --input; choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(path) as part:
        yield part
        (part / ABOUT).write_text(json.dumps(about, indent=1) + "\n")


def check_file(path: Path, *, suffixes: tuple[str, ...], option: str, source: Path) -> None:
    """Check the name of an output file, and create its folder.

    Raises:
        ConfigError: If the suffix is wrong, or the path is a folder or the input.
    """
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} {path}: the name must end with {' or '.join(suffixes)}")
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder; choose a file name")
    if path.resolve() == source.resolve():
        raise ConfigError(f"{option} {path} is the same file as --input; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
