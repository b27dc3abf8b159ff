"""Compare two implementations in one process, and write the comparison as a table."""

import importlib
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

UNITS = {"CPU ms": 1e3, "ms": 1e3, "MB": 1e-6}
"""Units of the table, by the factor from seconds or bytes."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        name: What is measured, at which size.
        baseline: What it is compared with.
        baseline_cost: Cost of the baseline, in CPU seconds or bytes.
        our_cost: Cost of ours, in the same unit.
        goal: Smallest acceptable ratio of baseline to ours.
        unit: "CPU ms" for costs in seconds summed over threads, "ms" for elapsed seconds, "MB" for
            costs in bytes.

    Raises:
        ValueError: A cost is not a positive number, so it was not measured.
    """

    name: str
    baseline: str
    baseline_cost: float
    our_cost: float
    goal: float
    unit: str = "CPU ms"

    def __post_init__(self) -> None:
        costs = self.baseline_cost, self.our_cost
        if not all(math.isfinite(cost) and cost > 0 for cost in costs):
            raise ValueError(
                f"{self.name}: costs {costs} are not positive numbers; measure a larger case"
            )

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the row in another record."""
        return self.name, self.baseline

    @property
    def ratio(self) -> float:
        """Cost of the baseline divided by ours."""
        return self.baseline_cost / self.our_cost

    @property
    def met(self) -> bool:
        """Whether the ratio reaches the goal."""
        return self.ratio >= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return the row for the JSON record."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


@dataclass(frozen=True)
class NotMeasured:
    """A row that this machine cannot measure.

    Args:
        name: What would be measured.
        reason: What this machine lacks.
    """

    name: str
    reason: str


def compare(
    baseline: Callable[[], object], ours: Callable[[], object], *, rounds: int = 5
) -> tuple[float, float]:
    """Return the median CPU seconds of both, called in turns so that other load affects both.

    CPU seconds are summed over threads: on a shared machine they vary less than elapsed time, and
    using a second core is not counted as a gain.

    Args:
        baseline: One call of the baseline.
        ours: One call of ours.
        rounds: Number of measured calls of each, after a first one that is not measured.

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


def write_rows(module: str, path: str) -> None:
    """Measure the rows of a module and append each to a file as a line of JSON."""
    use_threads()
    with Path(path).open("a") as file:
        for row in importlib.import_module(module).rows():
            if isinstance(row, NotMeasured):
                print(f"  {row.name}: not measured: {row.reason}", flush=True)
            else:
                print(f"  {row.name}: {row.ratio:.2f} (goal {row.goal:g})", flush=True)
            file.write(json.dumps(asdict(row)) + "\n")
            file.flush()


def use_threads() -> int:
    """Let PyTorch use two threads at least, and return their number."""
    import torch

    torch.set_num_threads(max(2, torch.get_num_threads()))
    return torch.get_num_threads()


def no_bf16() -> str | None:
    """Return why bf16 is not measured here, or None.

    PyTorch emulates bf16 where the processor has no instructions for it. An emulated forecast takes
    12 to 20 times as long as one in float32 here.
    """
    import torch

    native = any(has for name, has in torch.cpu.get_capabilities().items() if "bf16" in name)
    return None if native else "this processor has no bf16 instructions"


def ratios(record: Path) -> dict[tuple[str, str], float]:
    """Return the ratio of each row of a record, by `Row.key`."""
    rows = json.loads(record.read_text())["rows"]
    return {(row["name"], row["baseline"]): row["ratio"] for row in rows}


def table(rows: list[Row], earlier: Mapping[tuple[str, str], float] | None = None) -> Iterator[str]:
    """Yield the rows as lines of Markdown.

    Args:
        rows: The rows.
        earlier: Ratios of another record, for a last column: ratio now / ratio there.
    """
    head = "| what | baseline | cost of baseline | our cost | ratio | goal | |"
    yield head if earlier is None else f"{head} now / earlier |"
    yield "|---|---|--:|--:|--:|--:|---|" + ("" if earlier is None else "--:|")
    for row in rows:
        factor = UNITS[row.unit]
        line = (
            f"| {row.name} | {row.baseline} | {factor * row.baseline_cost:.4g} {row.unit} "
            f"| {factor * row.our_cost:.4g} {row.unit} | {row.ratio:.2f} | {row.goal:g} "
            f"| {'met' if row.met else 'missed'} |"
        )
        if earlier is not None:
            line += f" {row.ratio / earlier[row.key]:.2f} |" if row.key in earlier else " new |"
        yield line
