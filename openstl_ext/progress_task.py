"""Some work of a command: how much of it is done, how fast, and how long the rest takes."""

from collections import deque
from collections.abc import Callable, Mapping

RECENT_SECONDS = 15.0
"""Time over which the rate is measured."""
SPACING_SECONDS = 0.1
"""Smallest gap between two stored times."""

Facts = Mapping[str, str]


class Task:
    """Some work, and how much of it is done.

    Args:
        text: What is done, such as ``validation``.
        total: Amount of all work; None if it is not known.
        unit: Word after the amounts, such as ``tiles``.
        done: Amount that was done before, such as the iterations before a resume.
        write: Prints a line outside a terminal; by default to stderr.

    Attributes:
        place: Text in place of the amounts, such as the batch of an epoch.
        facts: Further values by name, such as a loss.
        shown: Shows the task if it is time to; set by the display that it is shown in.
    """

    def __init__(
        self,
        text: str,
        *,
        total: float | None = None,
        unit: str = "",
        done: float = 0,
        write: Callable[[str], None] | None = None,
    ) -> None:
        self.text, self.total, self.unit, self.done, self.write = text, total, unit, done, write
        self.place = ""
        self.facts: Facts = {}
        self.shown: Callable[[Task, Callable[[], Facts] | None], None] | None = None
        self._marks: deque[tuple[float, float]] = deque()
        self._first: tuple[float, float] | None = None

    def advance(self, amount: float = 1, facts: Callable[[], Facts] | None = None) -> None:
        """Note that more is done, and show it if it is time to.

        Args:
            amount: What is done since the last call.
            facts: Called only when a line is shown.
        """
        self.done += amount
        if self.shown is not None:
            self.shown(self, facts)

    def begin(self, done: float) -> None:
        """Set what was done before, such as the bytes of an interrupted download."""
        self.done = done
        self._marks.clear()
        self._first = None

    def mark(self, now: float) -> None:
        """Store the time at which the present amount was done."""
        self._first = self._first or (now, self.done)
        if len(self._marks) > 1 and now - self._marks[-2][0] < SPACING_SECONDS:
            self._marks[-1] = (now, self.done)
        else:
            self._marks.append((now, self.done))
        while len(self._marks) > 2 and self._marks[1][0] < now - RECENT_SECONDS:
            self._marks.popleft()

    @property
    def rate(self) -> float | None:
        """Amount per second in the last seconds; None before anything is done."""
        return _rate(self._marks[0], self._marks[-1]) if self._marks else None

    @property
    def seconds_left(self) -> float | None:
        """Remaining time at the mean rate since the start, validations in between included."""
        if self.total is None or self._first is None:
            return None
        rate = _rate(self._first, self._marks[-1])
        return None if rate is None else max(0.0, self.total - self.done) / rate

    def parts(self) -> list[str]:
        """Return the amounts, the rate, the remaining time and the facts."""
        whole = "" if self.total is None else f"/{amount_text(self.total)}"
        parts = [self.place or f"{amount_text(self.done)}{whole} {self.unit}".rstrip()]
        if (rate := self.rate) is not None:
            parts.append(rate_text(rate))
        if (left := self.seconds_left) is not None:
            parts.append(f"left {duration_text(left)}")
        return [*parts, *(f"{name} {value}" for name, value in self.facts.items())]

    def __str__(self) -> str:
        return "  ".join([self.text, *self.parts()])


def _rate(first: tuple[float, float], last: tuple[float, float]) -> float | None:
    seconds, amount = last[0] - first[0], last[1] - first[1]
    return amount / seconds if seconds > 0 and amount > 0 else None


def amount_text(amount: float) -> str:
    """Return a number with separators; fractions have one digit."""
    return f"{amount:,}" if isinstance(amount, int) else f"{amount:,.1f}"


def rate_text(rate: float) -> str:
    """Return an amount per second, or the seconds that each takes if that is more than one."""
    if rate < 1:
        return f"{1 / rate:.3g} s each"
    return f"{rate:,.0f}/s" if rate >= 100 else f"{rate:.3g}/s"


def duration_text(seconds: float) -> str:
    """Return a duration as ``0:42``, ``1:04:10`` or ``2 d 03 h``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
