"""Write files and folders atomically, and compute checksums.

A file is written under a hidden temporary name in its own folder and renamed when it is complete.
The temporary name is short, so that every name works that the file system takes, and it is locked:
two processes that write one file at the same time use different temporary files, and what a killed
process has left is used again.
"""

import errno
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from openstl_ext.errors import DISK_FULL, PATH_REMEDIES, DiskFullError, UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PART = ".part"
"""End of the name of a file that is being written; it remains only after a killed process."""
CUT_SHORT = re.compile(r"\d+ requested and -?\d+ written")
"""Message of numpy for a write that failed; the error number is lost."""


@contextmanager
def atomic_path(path: Path, *, suffix: str = "") -> Iterator[Path]:
    """Yield the name of an empty temporary file, renamed when the block ends without an error.

    It is for libraries that open files themselves. After a crash, a reader finds the old file or
    the new one.

    Args:
        path: Final name; an existing file is replaced in one step, a link keeps its target's name.
        suffix: End of the temporary name, for a library that chooses the format by it.

    Raises:
        DiskFullError: If the disk is full; an existing file at ``path`` is unchanged.
        OSError: If it cannot be written for another reason; it names ``path``.
    """
    with _temporary(path, suffix, folder=False) as (part, final):
        yield part
        _fsync(part)
        part.replace(final)
        fsync_folder(final.parent)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that receives its final name when the block ends without an error.

    Args:
        path: Final name; an existing file is replaced in one step. Its folder is created.

    Raises:
        DiskFullError: If the disk is full; an existing file at ``path`` is unchanged.
        OSError: If it cannot be written for another reason; it names ``path``.
    """
    with atomic_path(path) as part, part.open("wb") as file:
        yield cast("BinaryIO", OutputFile(file))


def save_array(path: Path, array: "NDArray[Any]") -> None:
    """Write an array to an ``.npy`` in a folder that is not complete yet.

    ``numpy.save`` hands a file to C, where a write that fails at its end is not reported.
    """
    from numpy.lib.format import write_array  # late: not all who write need it

    with path.open("wb") as file:
        write_array(OutputFile(file), array, allow_pickle=False)  # type: ignore[arg-type]


def atomic_write(path: Path, data: bytes) -> None:
    """Replace the content of a file in one step, and create its folder if necessary."""
    with atomic_file(path) as file:
        file.write(data)


def append_line(path: Path, line: str) -> None:
    """Append a line to a text file, completely or not at all; the file is opened for each line.

    Raises:
        DiskFullError: If the disk is full; the earlier lines are unchanged.
        OSError: If it cannot be written for another reason; it names ``path``.
    """
    data = f"{line}\n".encode()
    try:
        with path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                if file.write(data) < len(data):  # the disk took a part
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        raise_if_unwritten(error, path)
        raise


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
        OSError: If it cannot be written for another reason; it names ``path``.
    """
    recover_folder(path)
    with _temporary(path, "", folder=True) as (part, final):
        yield part
        replace_folder(part, final)


def replace_folder(part: Path, path: Path) -> None:
    """Give a complete folder its final name; the folder of that name is deleted last."""
    old = aside(path)
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    try:
        part.rename(path)
    except OSError:
        recover_folder(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(path: Path) -> None:
    """Undo a replacement that was interrupted between its two renames."""
    old = aside(path)
    if old.exists() and not path.exists():
        old.rename(path)


class OutputFile:
    """File opened for writing that libraries write to through its methods.

    numpy writes to a file of Python by its number, and does not report all errors.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, data: Any) -> int:
        """Write bytes."""
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


class HashingFile(OutputFile):
    """File opened for writing that computes the SHA-256 of the written bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        """Write bytes and add them to the digest."""
        self.digest.update(data)
        return self.file.write(data)


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def raise_if_unwritten(error: BaseException, path: Path) -> None:
    """Raise an error that names the output, if a failed write caused an exception.

    Args:
        error: The exception; libraries wrap that of a failed write, so its causes are searched.
        path: What was being written.

    Raises:
        DiskFullError: If a full disk or a limit is the cause.
        OSError: If another condition of the path is the cause.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UserError):
        if isinstance(cause, OSError):
            if cause.errno in DISK_FULL or CUT_SHORT.search(str(cause)):
                raise DiskFullError(
                    path, free_bytes=_free_bytes(path), limited=cause.errno == errno.EFBIG
                ) from error
            if cause.errno in PATH_REMEDIES and cause.filename in (None, str(path)):
                raise OSError(cause.errno, cause.strerror, str(path)) from error
        cause = cause.__cause__ or cause.__context__


def fsync_folder(folder: Path) -> None:
    """Make a rename survive a power failure, on systems that can open a folder."""
    if os.name == "posix":
        _fsync(folder)


@contextmanager
def _temporary(path: Path, suffix: str, *, folder: bool) -> Iterator[tuple[Path, Path]]:
    """Yield a locked temporary file or folder, and the final name; remove the former at the end."""
    final = Path(os.path.realpath(path)) if path.is_symlink() else path
    part, lock = final, None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        part, lock = _claim(final, suffix, folder=folder)
        yield part, final
    except BaseException as error:
        if part != final:  # do not keep space on a full disk
            _remove(part)
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)
        raise_if_unwritten(error, path)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _claim(final: Path, suffix: str, *, folder: bool) -> tuple[Path, int | None]:
    """Create a temporary file or folder that no other process uses; return it and its lock."""
    key = _key(final)
    for number in itertools.count():
        part = final.with_name(f".{key}-{number}{PART}{suffix}")
        if fcntl is not None:
            _create(part, folder=folder)
            try:
                lock = os.open(part, os.O_RDONLY if folder else os.O_RDWR)
            except FileNotFoundError:  # its writer has just renamed it
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # another process writes it
                os.close(lock)
                continue
            except OSError:  # a file system without locks
                os.close(lock)
                _remove(part)
            else:
                with suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(lock), part.stat()):
                        return _emptied(part, folder=folder), lock
                os.close(lock)
                continue
        part = final.with_name(f".{key}-{os.urandom(4).hex()}{PART}{suffix}")
        _create(part, folder=folder)
        return part, None
    raise AssertionError


def _fsync(path: Path) -> None:
    """Wait until the disk has the content of a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _key(path: Path) -> str:
    """Return a short text that differs between the names of a folder."""
    return hashlib.blake2b(os.fsencode(path.name), digest_size=4).hexdigest()


def aside(path: Path) -> Path:
    """Return where a folder is while it is replaced."""
    return path.with_name(f".{_key(path)}.old")


def _create(part: Path, *, folder: bool) -> None:
    if folder:
        part.mkdir(exist_ok=True)
    else:
        part.touch()


def _emptied(part: Path, *, folder: bool) -> Path:
    """Remove what a killed process has left."""
    if not folder:
        os.truncate(part, 0)
    for entry in part.iterdir() if folder else ():
        _remove(entry)
    return part


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _free_bytes(path: Path) -> int:
    """Return the free space of the disk of a path, whose folder may not exist."""
    place = next(folder for folder in path.absolute().parents if folder.exists())
    return shutil.disk_usage(place).free
