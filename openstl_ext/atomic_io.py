"""Write files and folders atomically, and compute checksums."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from openstl_ext.errors import DiskFullError

PART = ".part"
"""Suffix of a file that is being written; it remains only after a killed process."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that receives its final name when the block ends without an error.

    After a crash, a reader finds the old file or the new one.

    Args:
        path: Final name; an existing file is replaced in one step.

    Raises:
        DiskFullError: If the disk is full; an existing file at ``path`` is unchanged.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        fsync_folder(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)  # do not keep space on a full disk
        raise_if_disk_full(error, path)
        raise


def atomic_write(path: Path, data: bytes) -> None:
    """Replace the content of a file in one step, and create its folder if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(data)


def atomic_write_hashed(path: Path, write: Callable[[Any], object]) -> str:
    """Replace a file by what a function writes, and return the SHA-256 of the content.

    Args:
        path: File to replace.
        write: Called with a file opened for writing bytes.
    """
    with atomic_file(path) as file:
        hashing = HashingFile(file)
        write(hashing)
    return hashing.digest.hexdigest()


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Create a folder that receives its final name when the block ends without an error.

    Args:
        path: Final name; an existing folder is replaced.

    Raises:
        DiskFullError: If the disk is full; an existing folder at ``path`` is unchanged.
    """
    part = path.with_name(path.name + PART)
    shutil.rmtree(part, ignore_errors=True)  # left by a killed process
    part.mkdir(parents=True)
    try:
        yield part
        if path.exists():
            shutil.rmtree(path)
        part.replace(path)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        raise_if_disk_full(error, path)
        raise


class HashingFile:
    """File opened for writing that computes the SHA-256 of the written bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        """Write bytes and add them to the digest."""
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        """Flush the file."""
        self.file.flush()


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def raise_if_disk_full(error: BaseException, path: Path) -> None:
    """Raise a readable error if a full disk caused an exception.

    Args:
        error: The exception; torch wraps that of a failed write, so its causes are searched.
        path: What was being written.

    Raises:
        DiskFullError: If a full disk is the cause.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DiskFullError):
        if isinstance(cause, OSError) and cause.errno in DISK_FULL:
            free_bytes = shutil.disk_usage(path.parent).free
            raise DiskFullError(path, free_bytes=free_bytes) from error
        cause = cause.__cause__ or cause.__context__


def fsync_folder(folder: Path) -> None:
    """Make a rename survive a power failure, on systems that can open a folder."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
