"""One line about what a command is doing: updated in a terminal, repeated at intervals elsewhere.

In a terminal the last line shows the newest task. Elsewhere, as in a pipe or the log of a job, a
line is printed after 10 s, and then at gaps that grow to a minute. Of several processes, the first
one prints. No thread is started, because a worker that is forked meanwhile could inherit its lock.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

from openstl_ext.progress_task import Facts, Task

FIRST_SECONDS, LONGEST_SECONDS = 10.0, 60.0
"""Gaps between two lines outside a terminal; each is twice the one before."""
REFRESH_SECONDS = 0.25
"""Gap between two updates in a terminal."""
BAR_WIDTH = 24

Item = TypeVar("Item")


class Display:
    """Where lines are shown.

    Args:
        console: A rich Console to use; by default that of stdout, if it is a terminal.
        is_silent: Whether nothing is shown.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        console: Any = None,
        *,
        is_silent: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console, self.is_silent, self.clock = console, is_silent, clock
        self.tasks: list[Task] = []
        self._live: Any = None
        self._gap, self._next = FIRST_SECONDS, 0.0

    def push(self, task: Task) -> None:
        """Show a task in place of the present one."""
        now = self.clock()
        if not self.tasks:
            self._gap, self._next = FIRST_SECONDS, now + FIRST_SECONDS
            self._start()
        self.tasks.append(task)
        task.shown = self.note
        task.mark(now)
        self._draw()

    def pop(self, task: Task) -> None:
        """Show the task before this one again; after the last one the line disappears."""
        if task in self.tasks:
            del self.tasks[self.tasks.index(task) :]
        if not self.tasks:
            self._stop()
        self._draw()

    def close(self) -> None:
        """Remove the line, whatever is shown."""
        self.tasks.clear()
        self._stop()

    def said(self) -> None:
        """Note that another line has told the state, so that none follows at once."""
        self._next = self.clock() + self._gap

    def note(self, task: Task, facts: Callable[[], Facts] | None) -> None:
        """Store the time, and show the task if it is time to."""
        now = self.clock()
        task.mark(now)
        if self.is_silent or task not in self.tasks or now < self._next:
            return
        if facts is not None:
            task.facts = facts()
        if self._live is not None:
            self._next = now + REFRESH_SECONDS
            self._draw()
            return
        self._gap = min(2 * self._gap, LONGEST_SECONDS)
        self._next = now + self._gap
        (task.write or _to_stderr)(str(task))

    def _start(self) -> None:
        if self.is_silent or not self._is_terminal():
            return
        from rich.live import Live  # not needed for a log file

        self._live = Live(
            console=self.console,
            auto_refresh=False,
            transient=True,
            redirect_stderr=self.console.file.isatty() and sys.stderr.isatty(),
        )
        self._live.start()
        self.console.show_cursor(True)  # a killed process would leave it hidden
        self._next = 0.0

    def _is_terminal(self) -> bool:
        if self.console is None:
            if not sys.stdout.isatty():
                return False
            from rich.console import Console

            self.console = Console(highlight=False)
        return bool(self.console.is_interactive)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> None:
        if self._live is not None and self.tasks:
            self._live.update(rendered(self.tasks[-1]), refresh=True)


def rendered(task: Task) -> Any:
    """Return one line for a terminal, with a bar if the total is known; it is never wrapped."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    bar = [] if task.total is None else [ProgressBar(task.total or 1, task.done, width=BAR_WIDTH)]
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in (task.text, *bar):
        grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row(Text(task.text), *bar, Text("  ".join(task.parts())))
    return grid


def _to_stderr(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


_display = Display()


def display() -> Display:
    """Return the display of the process."""
    return _display


@contextlib.contextmanager
def showing(other: Display) -> Iterator[Display]:
    """Use another display inside the context."""
    global _display
    before, _display = _display, other
    try:
        yield other
    finally:
        other.close()
        _display = before


@contextlib.contextmanager
def quiet(is_quiet: bool = True) -> Iterator[None]:
    """Show no progress inside the context, if asked; see ``is_quiet``."""
    with showing(Display(is_silent=True)) if is_quiet else contextlib.nullcontext():
        yield


def is_quiet() -> bool:
    """Return whether only errors, warnings and results are wanted."""
    return _display.is_silent


def print_status(text: str) -> None:
    """Print a line about the work, unless only results are wanted."""
    if not is_quiet():
        print(text, flush=True)


def is_first_process() -> bool:
    """Return whether this is the process of several that prints."""
    return (os.environ.get("RANK") or os.environ.get("SLURM_PROCID") or "0") == "0"


@contextlib.contextmanager
def progress(text: str, total: float | None = None, unit: str = "") -> Iterator[Task]:
    """Show a task while the context lasts; call ``advance`` of what it yields.

    Args:
        text: What is done, such as ``mapping``.
        total: Amount of all work; None if it is not known.
        unit: Word after the amounts.
    """
    task, shown = Task(text, total=total, unit=unit), _display
    if is_first_process():
        shown.push(task)
    try:
        yield task
    finally:
        shown.pop(task)


def tracked(
    items: Iterable[Item], text: str, unit: str = "", *, total: float | None = None
) -> Iterator[Item]:
    """Yield items, and show how many are done.

    Args:
        items: The items.
        text: What is done with them.
        unit: Word for several of them.
        total: Number of items; by default their length, if they have one.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress(text, total, unit) as task:
        for item in items:
            yield item
            task.advance()


def _leave_to_parent() -> None:
    """Show nothing in a forked worker, and print without the parent's line, if there is one."""
    global _display
    if not _display.tasks:
        return
    _display = Display(is_silent=True)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        setattr(sys, name, getattr(stream, "rich_proxied_file", stream))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
