"""Scores of a record beside those of its baselines, as text for a console."""

from collections.abc import Iterator, Mapping, Sequence

from openstl_ext.results.record import Record
from openstl_ext.score_name import metric_name

MOST_SCORES = 16

Scores = Mapping[str, float | None]


def score_lines(record: Record, first: str = "") -> list[str]:
    """Return a table with a line per score, and a column for the model and for each baseline.

    The best value of a line is marked with a star where the direction of the score is known.
    Scores after postprocessors have columns of their own.

    Args:
        record: Record of a test.
        first: Score of the first line, such as the one that chose the weights.
    """
    columns = list(_columns(record))
    table = [["", *(f"{label} " for label, _ in columns)]]
    for name in shown_scores(record.metrics, first):
        values = [scores.get(name) for _, scores in columns]
        best = _best(record, name, values)
        table.append([name, *(_cell(value, best) for value in values)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in table
    ]
    return [*lines, "* best of its line"] if len(columns) > 1 else lines


def shown_scores(scores: Scores, first: str = "") -> list[str]:
    """Return the scores to show: no single leads, and no single parts if there are others."""
    whole = [name for name in scores if "@" not in name]
    names = [name for name in whole if "[" not in name] or whole
    chosen = [first] if first in scores else []
    return [*chosen, *(name for name in names if name != first)][:MOST_SCORES]


def _columns(record: Record) -> Iterator[tuple[str, Scores]]:
    yield record.name, record.metrics
    for name, scores in record.postprocessed.items():
        yield f"+ {name}", scores
    yield from record.baselines.items()


def _best(record: Record, name: str, values: Sequence[float | None]) -> float | None:
    """Return the best of some values of a score; None if its direction is not known."""
    higher = record.about.get(metric_name(name), {}).get("higher_is_better")
    known = [value for value in values if value is not None]
    if higher is None or len(values) < 2 or not known:
        return None
    return max(known) if higher else min(known)


def _cell(value: float | None, best: float | None) -> str:
    if value is None:
        return "n/a "
    return f"{value:#.4g}".rstrip(".") + ("*" if value == best else " ")
