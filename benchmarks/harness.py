"""Compare two ways of doing the same thing, side by side in one process."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: What is measured, at which size.
        baseline: What it is compared with.
        baseline_seconds: Cost of the baseline, CPU seconds.
        ours_seconds: Cost of ours, CPU seconds.
        goal: Smallest ratio baseline / ours that we promise.
    """

    name: str
    baseline: str
    baseline_seconds: float
    ours_seconds: float
    goal: float

    @property
    def ratio(self) -> float:
        """How many times cheaper ours is."""
        return self.baseline_seconds / self.ours_seconds

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.ratio >= self.goal

    def as_dict(self) -> dict[str, Any]:
        """The row for the JSON file."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def compare(
    baseline: Callable[[], object], ours: Callable[[], object], *, rounds: int = 5
) -> tuple[float, float]:
    """Median CPU seconds of both, taken in turns so that a busy moment hurts both alike.

    CPU seconds are summed over threads: on a shared machine they say more than the clock, and a
    gain that only burns a second core is none.

    Args:
        baseline: One call of the baseline.
        ours: One call of ours.
        rounds: Number of measured turns, after one that warms up.

    Returns:
        The medians of the baseline and of ours.
    """
    baseline()
    ours()
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        order = ((0, baseline), (1, ours))
        for column, call in order if turn % 2 == 0 else reversed(order):
            start = time.process_time()
            call()
            taken[column].append(time.process_time() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def table(rows: list[Row]) -> Iterator[str]:
    """The rows as lines of Markdown."""
    yield "| what | baseline | baseline, CPU ms | ours, CPU ms | ratio | goal | |"
    yield "|---|---|--:|--:|--:|--:|---|"
    for row in rows:
        yield (
            f"| {row.name} | {row.baseline} | {1e3 * row.baseline_seconds:.4g} "
            f"| {1e3 * row.ours_seconds:.4g} | {row.ratio:.2f} | {row.goal:g} "
            f"| {'met' if row.met else 'missed'} |"
        )
