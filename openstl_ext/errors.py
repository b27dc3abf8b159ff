"""Errors whose messages give the next step."""

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 80


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
    """A dataset does not exist at the given path."""

    def __init__(self, path: Path | str, *, prepare: str) -> None:
        self.prepare = prepare
        super().__init__(
            f"no dataset at {path}; make or fetch it with `{prepare}`, or set the dataset's root "
            "in the config to its folder"
        )


class DataError(UserError, ValueError):
    """A file of a dataset is damaged or has unexpected content; the message names the file."""


class ShapeError(UserError, ValueError):
    """A tensor does not fit a model; the message gives the expected and the given shape."""


class CheckpointError(UserError):
    """A checkpoint cannot be used; the message names the file and what to do."""


class DiskFullError(UserError, OSError):
    """A file could not be written because the disk is full."""

    def __init__(self, path: Path | str, *, free_bytes: int) -> None:
        super().__init__(
            f"the disk is full: {path} was not written and {free_bytes:,} bytes are available; "
            "free space and try again"
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
