"""Where answers go."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.errors import ConfigError

ABOUT = "prediction.json"
"""Says how a folder of answers came to be, and that it may be replaced by the next."""


@contextmanager
def answer_folder(path: Path, about: dict[str, Any], *, source: Path) -> Iterator[Path]:
    """A folder to fill with answers, which takes its name when all are there.

    Args:
        path: Final name. Only a folder of earlier answers, or an empty one, is replaced.
        about: What ``prediction.json`` in it shall say.
        source: What is read, which must not lie in what is replaced.

    Raises:
        ConfigError: If something else is there: a folder of data, given by mistake, must live.
    """
    if path.exists() and not (
        path.is_dir() and ((path / ABOUT).is_file() or not any(path.iterdir()))
    ):
        raise ConfigError(
            f"--out {path} is there and holds no earlier answers, so it is not replaced; "
            "name a new folder"
        )
    if path.resolve() in (source.resolve(), *source.resolve().parents):
        raise ConfigError(f"--out {path} holds what --input names; name another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(path) as part:
        yield part
        (part / ABOUT).write_text(json.dumps(about, indent=1) + "\n")


def check_file(path: Path, *, suffixes: tuple[str, ...], option: str, source: Path) -> None:
    """Refuse a name that no file of this kind can have, and make its folder.

    Raises:
        ConfigError: If the suffix is another, a folder has the name, or it is what is read.
    """
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{option} {path}: name a file that ends with {' or '.join(suffixes)}")
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder; name another file")
    if path.resolve() == source.resolve():
        raise ConfigError(f"{option} {path} is what --input names; name another file")
    path.parent.mkdir(parents=True, exist_ok=True)
