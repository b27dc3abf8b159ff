"""Files and folders that appear whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Ending of what is being written; left behind only by a process that was killed."""


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes its name when the block ends without an error.

    A reader, or a crash, finds the old file or the new one.

    Args:
        path: Final name; what stood there is replaced in one step.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        fsync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)  # a full disk should not stay fuller
        raise


def write_whole(path: Path, data: bytes) -> None:
    """Replace the content of a file in one step, making its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when the block ends without an error.

    Args:
        path: Final name; a folder of that name is replaced.
    """
    part = path.with_name(path.name + PART)
    shutil.rmtree(part, ignore_errors=True)  # left by a run that was killed
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            shutil.rmtree(path)
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def fsync_folder(folder: Path) -> None:
    """Make a rename outlive a power cut, on systems that can open a folder."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
