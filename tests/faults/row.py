"""Row of the reliability table: the faults of one class, and what came of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Outcome of one class of faults.

    Args:
        name: Class of the faults.
        injected: Number of faults.
        detected: Faults that were refused, reported, or without any effect on the result.
        recovered: Faults after which the work went on from an intact state, or with the right
            value.
        lost: Faults after which work was lost, a result was wrong without a word, or code was run.
        note: What limits the row, or what `lost` counts.
    """

    name: str
    injected: int
    detected: int
    recovered: int
    lost: int
    note: str = ""

    def __post_init__(self) -> None:
        counts = self.detected, self.recovered, self.lost
        if self.injected < 1 or min(counts) < 0 or max(counts) > self.injected:
            raise ValueError(f"{self.name}: {counts} do not fit {self.injected} injected faults")
