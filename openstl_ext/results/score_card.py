"""A table of how much better one row is than another, by score and lead."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["better", "worse", "tied", "different"]
"""Of the row against the baseline: beyond chance, or not; ``different`` without a direction."""


@dataclass(frozen=True)
class Cell:
    """One score of one lead.

    Args:
        change: ``(score - baseline) / |baseline|``; None where it has no value.
        sign: 1 if larger scores are better, -1 if smaller ones are, 0 without a direction.
        verdict: What the paired test says.
    """

    change: float | None
    sign: int
    verdict: Verdict


@dataclass(frozen=True)
class ScoreCard:
    """Scores of a row relative to a baseline.

    Args:
        title: Names of both.
        note: Samples, blocks and protocol.
        metrics: Names of the rows.
        columns: Names of the columns: ``all``, then leads.
        cells: One per row and column; None where the score does not exist.
        left_out: Metrics that cannot be compared.
    """

    title: str
    note: str
    metrics: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]
    left_out: tuple[str, ...] = ()
