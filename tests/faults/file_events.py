"""Make a chosen file event of this process fail, or end there as a killed process would."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

CALLS = (
    *("open", "mkdir", "replace", "rename", "unlink", "remove", "truncate", "fsync"),
    "link",
)
"""Functions of ``os`` that change a folder or a file."""


class Killed(BaseException):
    """The process has ended; nothing in the package catches it."""


class FileEvents:
    """Count the file events of this thread, and let one of them fail.

    Threads of earlier tests, such as one that writes events for TensorBoard, are left alone.

    Args:
        nth: Event to fail, counted from 1; 0 fails none.
        error: Number of the system's error; None ends the process, after which no event of it has
            an effect. A write that fails has written half of its bytes.
    """

    def __init__(self, nth: int = 0, error: int | None = None) -> None:
        self.nth, self.error = nth, error
        self.count, self.is_dead = 0, False
        self.thread = threading.get_ident()

    def pass_event(self, before: Callable[[], object] = lambda: None) -> None:
        """Count an event; raise if it is the chosen one, or the process is dead."""
        if threading.get_ident() != self.thread:
            return
        self.count += 1
        if self.is_dead:
            raise Killed
        if self.count == self.nth:
            before()
            self.is_dead = self.error is None
            raise Killed if self.error is None else OSError(self.error, os.strerror(self.error))

    def watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of ``os`` whose calls are events."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.pass_event()
            return call(*args, **kwargs)

        return watched

    def opened(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """Open a file; opening it for writing and each write are events."""
        if not set(mode) & set("wax+"):
            return OPEN(file, mode, *args, **kwargs)
        self.pass_event()
        return WatchedFile(OPEN(file, mode, *args, **kwargs), self)


class WatchedFile:
    """File opened for writing whose writes are events."""

    def __init__(self, file: Any, events: FileEvents) -> None:
        self._file, self._events = file, events

    def write(self, data: Any) -> int:
        """Write bytes, or half of them and fail."""
        half = memoryview(data).cast("B")[: memoryview(data).nbytes // 2]
        self._events.pass_event(lambda: self._file.write(half))
        return self._file.write(data)

    def __enter__(self) -> "WatchedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


OPEN = io.open


@contextmanager
def watching(events: FileEvents) -> Iterator[FileEvents]:
    """Pass all file events within the block to an object."""
    patches = [patch.object(os, name, events.watched(getattr(os, name))) for name in CALLS]
    patches.append(patch.object(io, "open", events.opened))
    for each in patches:
        each.start()
    try:
        yield events
    finally:
        for each in patches:
            each.stop()
