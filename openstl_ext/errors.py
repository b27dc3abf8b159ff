"""Errors that say what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class UserError(Exception):
    """Something the user can put right; tools print its message without a traceback."""


class ConfigError(UserError):
    """A config that cannot mean what it says.

    Args:
        message: What is wrong and what to do.
        part: The dict that holds the mistake, so that a caller who has the whole config can say
            where it stands.
    """

    def __init__(self, message: str, part: Any = None) -> None:
        super().__init__(message)
        self.part = part


class DatasetNotFoundError(UserError, FileNotFoundError):
    """A dataset is not where it was looked for."""

    def __init__(self, path: Path | str, *, prepare: str) -> None:
        self.prepare = prepare
        super().__init__(
            f"no dataset at {path}; make or fetch it with `{prepare}`, or point the config's "
            "dataset at the folder where it lies"
        )


class DataError(UserError, ValueError):
    """A file of a dataset is not what it should be; the message names the file and the sample."""


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


class NonFiniteError(UserError):
    """A loss, a gradient or a weight is NaN or infinite."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Propose the nearest names, as in ``did you mean 'x' or 'y'?``, to end a message with.

    Args:
        word: What was written.
        known: What could have been written.

    Returns:
        The proposal, or the full list when nothing is near.
    """
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    close = [folded[c] for c in get_close_matches(word.lower(), folded, n=3, cutoff=0.6)]
    if close:
        return "did you mean " + " or ".join(repr(c) for c in close) + "?"
    return "known are: " + ", ".join(names) if names else "none is known"
