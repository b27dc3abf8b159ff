"""Lock on a folder, so that two commands do not write to it at the same time."""

import contextlib
import errno
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from openstl_ext.errors import FolderInUseError, UserError

LOCK = ".lock"
"""Name of the lock file in the folder; it remains only after a killed process, without effect."""

NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
TEXT_BYTES = 1 << 10  # the locked byte is behind the text, or Windows could not read the text

_held: dict[Path, tuple[int, int]] = {}
"""Descriptor and number of uses of each lock of this process."""


class FolderLock:
    """Exclusive use of a folder by this process, until ``release`` or the end of the process.

    The operating system releases the lock when the process ends in any way, so there are no stale
    locks. A POSIX record lock is used, not ``flock``: workers that are forked do not inherit it, so
    a killed run can be resumed while its workers still end; and NFS passes it on to the server, so
    it holds between machines (NFS 4, or NFS 3 with lockd). One process may lock a folder twice.

    Args:
        folder: The folder; it is created.
        purpose: What the process does there, for the message to others: ``training``.
        remedy: What another process can do instead, as the end of a sentence.
    """

    def __init__(self, folder: Path | str, purpose: str, *, remedy: str) -> None:
        self.folder, self.purpose, self.remedy = Path(folder), purpose, remedy
        self.path = self.folder.resolve() / LOCK
        self.is_held = self.is_new = False

    def acquire(self) -> None:
        """Take the lock, if this object does not have it.

        Raises:
            FolderInUseError: If another process has it; the message names that process.
            UserError: If the path cannot be a folder.
        """
        if self.is_held:
            return
        handle, uses = _held.get(self.path) or (self._locked(), 0)
        _held[self.path] = handle, uses + 1
        self.is_held = True

    def release(self) -> None:
        """Give the lock back, if this object has it, and remove a new folder that is empty."""
        if not self.is_held or self.path not in _held:  # a forked process has none
            return
        self.is_held = False
        handle, uses = _held.pop(self.path)
        if uses > 1:
            _held[self.path] = handle, uses - 1
            return
        with contextlib.suppress(OSError):  # Windows cannot remove an open file
            self.path.unlink()
        os.close(handle)
        with contextlib.suppress(OSError):
            if os.name == "nt":
                self.path.unlink()
            if self.is_new:
                self.folder.rmdir()

    def __enter__(self) -> "FolderLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _locked(self) -> int:
        """Return a descriptor with the lock."""
        self.is_new = not self.folder.exists()
        create(self.folder)
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                lock_byte(handle)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    holder = holder_of(handle)
                    os.close(handle)
                    raise FolderInUseError(
                        f"{self.folder} is in use by {holder}; {self.remedy}"
                    ) from None
                logging.getLogger("openstl_ext").warning(
                    f"{self.folder} is on a file system without locks; do not write to it from two "
                    "commands at the same time"
                )
                return handle
            # a holder that ended meanwhile has removed the file that was opened above
            if self.path.exists() and os.path.samestat(os.fstat(handle), self.path.stat()):
                os.ftruncate(handle, 0)
                os.write(handle, description(self.purpose).encode()[:TEXT_BYTES])
                return handle
            os.close(handle)


def create(folder: Path) -> None:
    """Create a folder for output.

    Raises:
        UserError: If it, or a folder above it, is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"{folder} is a file, not a folder; choose another folder") from None


def description(purpose: str) -> str:
    """Return what this process is, for the message to another one."""
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    return f"a {purpose} (process {os.getpid()} on {socket.gethostname()}, since {since})"


def holder_of(handle: int) -> str:
    """Return the description in a lock file."""
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, TEXT_BYTES).decode(errors="replace")
    return text or "another process"  # it has not written yet


if os.name == "nt":
    import msvcrt

    def lock_byte(handle: int) -> None:
        """Lock one byte behind the text, or raise OSError at once."""
        os.lseek(handle, TEXT_BYTES, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def lock_byte(handle: int) -> None:
        """Lock one byte behind the text, or raise OSError at once."""
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, TEXT_BYTES)

    os.register_at_fork(after_in_child=_held.clear)  # a forked process does not inherit the locks


@contextlib.contextmanager
def sole_writer(folder: Path | str, purpose: str, *, create: bool = True) -> Iterator[None]:
    """Lock a folder of data while a block writes to it.

    Args:
        folder: The folder. One without write permission is not locked; it can only be read.
        purpose: What the block does, for the message to other processes.
        create: Whether to create a missing folder; otherwise it is left to the block to refuse it.

    Raises:
        FolderInUseError: If another process writes to it.
    """
    path = Path(folder)
    if not (os.access(path, os.W_OK) if path.is_dir() else create):
        yield
        return
    with FolderLock(path, purpose, remedy="wait until it has ended"):
        yield
