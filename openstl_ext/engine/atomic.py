"""Checkpoint files: written whole, known by their SHA-256, and a full disk explained."""

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from openstl_ext.durable import whole_file
from openstl_ext.errors import CheckpointError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class HashingFile:
    """A file opened for writing that knows the SHA-256 of what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        """Write and digest."""
        self.digest.update(data)
        return self.file.write(data)

    def flush(self) -> None:
        """Hand everything to the system."""
        self.file.flush()


def write_whole(path: Path, write: Callable[[Any], object], *, size: int = 0) -> str:
    """Replace a file so that a reader, or a crash, finds the old one or the new one.

    Args:
        path: File to replace.
        write: Called with a file opened for writing bytes.
        size: About how many bytes will be written; for the message when the disk is full.

    Returns:
        The SHA-256 of what was written.

    Raises:
        CheckpointError: If the disk is full; what stood at ``path`` before still does.
    """
    try:
        with whole_file(path) as file:
            hashing = HashingFile(file)
            write(hashing)
    except BaseException as error:
        if is_disk_full(error):
            free = shutil.disk_usage(path.parent).free
            raise CheckpointError(
                f"the disk is full: {path} needs {size:,} bytes, {path.parent} has {free:,} free. "
                "The checkpoints before it are intact; make room, then go on with --resume"
            ) from error
        raise
    return hashing.digest.hexdigest()


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk is at the root; torch wraps the exception of a failed write."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
