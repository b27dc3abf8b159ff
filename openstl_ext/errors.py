"""Errors whose messages give the next step."""

import errno
import re
import reprlib
import shlex
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDIES = {
    "EACCES EPERM": "change its permissions, or choose another place",
    "EROFS": "choose a place that can be written",
    "ENOENT": "correct the path",
    "ENOTDIR": "a part of this path is a file, so choose another path",
    "EISDIR": "give the name of a file",
    "EEXIST ENOTEMPTY": "choose another name, or remove what has this name",
    "ENAMETOOLONG": "choose a shorter name",
    "ELOOP": "remove the symbolic links that form a loop",
    "EXDEV": "choose a place on the same disk",
    "EBUSY ETXTBSY": "end the program that uses it, or choose another name",
    "ENOSPC": "free space and try again",
    "EDQUOT": "free space within the quota and try again",
    "EFBIG": "raise the limit of file sizes (ulimit -f) and try again",
    "EIO ENXIO ENODEV": "check the disk or its connection, and try again",
    "ESTALE": "mount the network disk again, and try again",
    "EMFILE": "raise the limit of open files (ulimit -n), or use fewer workers",
    "ENFILE": "close other programs, or raise the system's limit of open files",
    "ENOMEM": "free memory, or use smaller batches, tiles or data",
}
PATH_REMEDIES = {
    getattr(errno, name): remedy
    for names, remedy in _REMEDIES.items()
    for name in names.split()
    if hasattr(errno, name)  # not all on Windows
}
"""Next step for each condition of a file system that a user can meet."""
FROM_WORKER = re.compile(r"\[Errno (\d+)\] ([^\n]*?)(?:: '([^'\n]*)')?\s*$")
"""Message of an OSError that a worker process has passed on as text."""
CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories of controls, marks of direction, undecodable bytes and separators."""
NO_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")
"""Parts of the messages of torch for memory that is not available."""


class UserError(Exception):
    """Base class of errors that the user can correct; printed without a traceback.

    Attributes:
        status: Exit status of the command.
    """

    status = 2


class ConfigError(UserError):
    """A config has an unknown key or an invalid value.

    Args:
        message: The value, what is expected, and the next step.
        part: The dict with the mistake, so that a caller can add its position in the config.
    """

    def __init__(self, message: str, part: Any = None) -> None:
        super().__init__(message)
        self.part = part


class DatasetNotFoundError(UserError, FileNotFoundError):
    """A dataset does not exist at the given path.

    Args:
        path: The missing folder or file.
        prepare: Command that makes or fetches it.
        by_hand: What a person has to do first, such as a download that asks for an account; the
            command is then not offered to run.

    Attributes:
        prepare: The command.
        commands: The words of each command of this package that makes it; empty if there is none,
            or if something is done by hand first.
    """

    def __init__(self, path: Path | str, *, prepare: str, by_hand: str = "") -> None:
        self.prepare = prepare
        remedy = (
            f"{by_hand}, then run `{prepare}`" if by_hand else f"make or fetch it with `{prepare}`"
        )
        super().__init__(
            f"no dataset at {path}; {remedy}, or give its folder with --data, which sets the "
            "dataset's root in the config"
        )
        words = [shlex.split(part) for part in prepare.split("&&")]
        ours = [part[2:] for part in words if part[:2] == ["openstl-ext", "data"]]
        complete = len(ours) == len(words) and "--help" not in prepare and not by_hand
        self.commands: list[list[str]] = ours if complete else []


class DataError(UserError, ValueError):
    """A file of a dataset is damaged or has unexpected content; the message names the file."""


class ShapeError(UserError, ValueError):
    """A tensor does not fit a model; the message gives the expected and the given shape."""


class CheckpointError(UserError):
    """A checkpoint cannot be used; the message names the file and what to do."""


class DiskFullError(UserError, OSError):
    """A file could not be written because the disk is full, or a limit of file sizes is reached."""

    def __init__(self, path: Path | str, *, free_bytes: int, limited: bool = False) -> None:
        reason, remedy = "the disk is full", PATH_REMEDIES[errno.ENOSPC]
        if limited:
            reason, remedy = "the limit of file sizes is reached", PATH_REMEDIES[errno.EFBIG]
        super().__init__(
            f"{reason}: {path} was not written and {free_bytes:,} bytes are available; {remedy}"
        )


class FolderInUseError(UserError):
    """Another process writes to a folder; the message names both."""


class RankError(UserError):
    """A process of a distributed run has ended, hangs, or has other weights; the message names it.

    The mistake is not in the command, so that a scheduler may start it again.
    """

    status = 1


class NonFiniteError(UserError):
    """A loss, a gradient or a weight is NaN or infinite."""


def sentence_of(error: BaseException) -> str | None:
    """Return the message for a user who can correct an error; None if the program is wrong.

    Args:
        error: Any exception; also one that torch passes on from a worker process.
    """
    message, kind = str(error), type(error)
    if isinstance(error, UserError):
        if message.startswith(f"Caught {kind.__name__} in "):  # torch adds the worker's traceback
            return message.rpartition(f"{kind.__module__}.{kind.__qualname__}: ")[2].strip()
        return message
    if isinstance(error, OSError):
        number, reason, place = error.errno, error.strerror, error.filename
        if number is None and (passed := FROM_WORKER.search(message)):
            number, reason, place = int(passed[1]), passed[2], passed[3]
        if number not in PATH_REMEDIES:
            return None
        named = place if isinstance(place, str) or place is None else _decoded(place)
        return ": ".join(filter(None, (named, reason))) + f"; {PATH_REMEDIES[number]}"
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(part in message for part in NO_MEMORY)
    ):
        first = message.strip().partition("\n")[0] or "the memory is used up"
        return f"{first}; {PATH_REMEDIES[errno.ENOMEM]}"
    return None


def _decoded(place: Any) -> str:
    """Return a path that the system names by bytes or by the number of an open file."""
    return place.decode(errors="replace") if isinstance(place, bytes) else f"open file {place}"


def printable(text: str) -> str:
    """Return a text without characters that control a terminal; they are written as escapes.

    Names of files may have any character, among them those that clear or recolour a terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode("ascii")
        if unicodedata.category(c) in CONTROLS and c not in "\n\t"
        else c
        for c in text
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Propose the nearest names as the end of a message: ``did you mean 'x' or 'y'?``.

    Args:
        word: The unknown name.
        known: The valid names.

    Returns:
        The proposal, or the full list if no name is near.
    """
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    close = [folded[c] for c in get_close_matches(word.lower(), folded, n=3, cutoff=0.6)]
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "known are: " + ", ".join(names) if names else "none is known"


def shown(value: Any) -> str:
    """Return the representation of a value for a message, shortened if it is long."""
    return _short.repr(value)
