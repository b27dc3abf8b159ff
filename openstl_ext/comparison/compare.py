"""Compare two rows of a board, and mark the rows that are tied with the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openstl_ext.comparison.paired import (
    Difference,
    holm,
    least_p_value,
    paired_differences,
)
from openstl_ext.comparison.rows import check_same_data, metrics_of, pairs_of, runs_of, unpaired
from openstl_ext.errors import DataError, UserError, nearest
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.results.board import Board
from openstl_ext.results.protocol import differences
from openstl_ext.results.record import RecordError
from openstl_ext.results.row import Row, part_of
from openstl_ext.results.table import Table, higher_is_better
from openstl_ext.score_name import ScoreName, alike, matching, metric_name

LEVEL = 0.05
"""Largest corrected p-value of a difference."""
TIE_PERMUTATIONS = 999
NO_MEAN = "not a mean of samples, so it cannot be paired"
NOT_HERE = "not available here"
NO_VALUE = "without a value in one of the two rows"
OTHER_ENTRIES = "of different entries in the two rows"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scores of two rows under one protocol.

    Args:
        table: Table of both rows.
        one: Row A.
        other: Row B.
        num_samples: Samples of the test.
        num_blocks: Blocks of samples that are independent of each other.
        independent: Whether the dataset does not name blocks, so that each sample is one.
        differences: One per score, overall scores first.
        left_out: Reason for each metric that cannot be compared, by name.
    """

    table: Table
    one: Row
    other: Row
    num_samples: int
    num_blocks: int
    independent: bool
    differences: tuple[Difference, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, str]:
        """Labels of both rows; a probe and the recipe as it is have different ones."""
        return self.table.label_of(self.one), self.table.label_of(self.other)

    def verdict(self, difference: Difference) -> str:
        """Return ``A``, ``B`` or ``tied``: which row is better beyond chance.

        A score without a direction is ``different`` or ``tied``.
        """
        if difference.corrected > LEVEL:
            return "tied"
        up = higher_is_better(self.table.about, difference.name.metric)
        if up is None:
            return "different"
        return "A" if (difference.difference > 0) == up else "B"


def compare(board: Board, one: str, other: str, patterns: Sequence[str] = ()) -> list[Comparison]:
    """Compare two rows under each protocol that both have.

    Args:
        board: Board with both rows.
        one: Name or config of row A, or name of a baseline; or a folder, for the runs in it only.
        other: The same of row B.
        patterns: Scores to compare, as for a table; by default all of the overall scores and of
            single leads.

    Raises:
        UserError: If a row is not found or not unique, or both have no protocol in common.
        RecordError: If a row kept no tallies.
        DataError: If the tallies are of other samples, or of one block.
    """
    ours, theirs = (_rows_called(board, name) for name in (one, other))
    shared = [
        (table, a, b) for table, a in ours for other_table, b in theirs if table is other_table
    ]
    if not shared:
        named = differences(ours[0][0].protocol, theirs[0][0].protocol)
        raise UserError(
            f"{one} and {other} were tested under different protocols: {'; '.join(named[:4])}; "
            "test both on the same data with the same metrics"
        )
    return [_compared(board, table, a, b, patterns) for table, a, b in shared]


def _rows_called(board: Board, name: str) -> list[tuple[Table, Row]]:
    """Return the row of a name in each table that has it; of a folder, its runs of that row."""
    rows = [(table, row) for table in board.tables for row in table.rows]
    found = [(t, r) for t, r in rows if name in (r.label, r.config)]
    found = found or [(t, r) for t, r in rows if name in _names(r)]
    if not found and Path(name).exists():
        found = [(t, part) for t, r in rows if (part := _part_below(board, r, name))]
        if not found:
            raise UserError(f"no run of the leaderboard is below {name}; give it as WORK_DIR too")
    if not found:
        known = sorted({each for _, row in rows for each in _names(row)})
        raise UserError(f"no row is called {name!r}; {nearest(name, known)}")
    unique = []
    for table in board.tables:
        here = [row for t, row in found if t is table]
        here = [row for row in here if row.counts] or here
        here = [row for row in here if not row.postprocessor] or here
        if len(here) > 1:
            labels = ", ".join(f"{row.label!r} ({_place(board, row)})" for row in here)
            raise UserError(f"{name!r} are several rows: {labels}; give the folder of one run")
        unique += [(table, row) for row in here]
    return unique


def _names(row: Row) -> set[str]:
    return {row.label, row.name, row.config, row.config.rpartition("/")[2]} - {""}


def _place(board: Board, row: Row) -> str:
    """Return the folder of the first run of a row."""
    file = board.files.get(id(row.records[0]))
    return str(file.parent) if file else row.config


def _part_below(board: Board, row: Row, folder: str) -> Row | None:
    """Return the runs of a row that are in a folder, or of which it is the file; None if none is.

    The row itself if all are.
    """
    if row.is_baseline:
        return None
    place = Path(folder).resolve()
    files = {id(r): board.path_of(r).resolve() for r in row.records if board.has_run(r)}
    inside = [
        r for r in row.records if id(r) in files and place in (files[id(r)], *files[id(r)].parents)
    ]
    if len(inside) == len(row.records):
        return row
    return part_of(row, inside) if inside else None


def _compared(
    board: Board, table: Table, one: Row, other: Row, patterns: Sequence[str]
) -> Comparison:
    if one is other:
        raise UserError(f"{one.label} is one row; name two")
    if not one.is_baseline and not other.is_baseline:
        both = [record for record in one.records if any(record is run for run in other.records)]
        if both:
            raise UserError(
                f"{one.label} and {other.label} share the run {board.path_of(both[0])}; name two "
                "rows, or the folders of two runs"
            )
    built = metrics_of(table.protocol)
    names = list(dict.fromkeys(n for row in (one, other) for r in row.records for n in r.metrics))
    for pattern in patterns:
        if not matching([pattern], names):
            raise UserError(
                f"no result has a score {pattern!r}; {nearest(pattern, alike(pattern, names))}"
            )
    wanted = matching(patterns, names) if patterns else names
    metrics = {name: m for name, m in built.items() if name in {metric_name(w) for w in wanted}}
    whole = unpaired(table.protocol)
    left_out = {
        name: NO_MEAN if name in whole else NOT_HERE
        for name in sorted({metric_name(w) for w in wanted} - set(metrics))
    }
    check_same_data(board, one, other)
    ours, theirs = (runs_of(board, row, metrics) for row in (one, other))
    first = ours[0]
    found: list[Difference] = []
    for name, metric in metrics.items():
        pairs = pairs_of(ours, theirs, name)
        if not pairs:
            left_out[name] = OTHER_ENTRIES
            continue
        scores = paired_differences(
            metric,
            pairs,
            first.blocks,
            names=lambda n: str(n) in wanted and (bool(patterns) or not n.part),
        )
        found += scores
        if not scores:
            left_out[name] = NO_VALUE
    corrected = holm([difference.p_value for difference in found])
    found = [replace(d, corrected=p) for d, p in zip(found, corrected, strict=True)]
    order = {name: place for place, name in enumerate(wanted)}
    found.sort(key=lambda d: (d.name.lead is not None and not patterns, order[str(d.name)]))
    return Comparison(
        table=table,
        one=one,
        other=other,
        num_samples=len(first.samples),
        num_blocks=len(set(first.blocks)),
        independent=first.about.independent,
        differences=tuple(found),
        left_out=left_out,
    )


def with_ties(board: Board) -> Board:
    """Mark the rows of each table that cannot be told from the best one, for each metric shown.

    Rows without tallies are not tested, nor are tables with so few blocks that no difference could
    be shown. The p-values of a column are corrected together.
    """
    return replace(board, tables=tuple(_with_ties(board, table) for table in board.tables))


def _with_ties(board: Board, table: Table) -> Table:
    built = metrics_of(table.protocol)
    tested: dict[int, set[str]] = {}
    tied: dict[int, set[str]] = {}
    for score in table.metrics:
        name, metric, best = (
            ScoreName.parse(score),
            built.get(metric_name(score)),
            table.best(score),
        )
        if name is None or metric is None or best is None:
            continue
        top = next(k for k, r in enumerate(table.rows) if r.counts and r.scores[score].mean == best)
        p_values = _p_values(board, table, top, name, metric)
        for k, corrected in zip(p_values, holm(list(p_values.values())), strict=True):
            tested.setdefault(k, set()).add(score)
            if corrected > LEVEL:
                tied.setdefault(k, set()).add(score)
        if p_values:
            tested.setdefault(top, set()).add(score)
    rows = (
        replace(row, tied=frozenset(tied.get(k, ())), tested=frozenset(tested.get(k, ())))
        for k, row in enumerate(table.rows)
    )
    return replace(table, rows=tuple(rows))


def _p_values(
    board: Board, table: Table, top: int, name: ScoreName, metric: SampleMetric
) -> dict[int, float]:
    """Return the p-value of the difference from the best row, by row; nothing for few blocks."""
    read = {metric.name: metric}
    try:
        ours = runs_of(board, table.rows[top], read)
    except RecordError:
        return {}
    if least_p_value(len(set(ours[0].blocks))) > LEVEL:
        return {}
    p_values: dict[int, float] = {}
    for k, row in enumerate(table.rows):
        if k == top or row.scores[str(name)].mean is None:
            continue
        try:
            check_same_data(board, table.rows[top], row)
            pairs = pairs_of(ours, runs_of(board, row, read), metric.name)
            if not pairs:
                continue
            found = paired_differences(
                metric,
                pairs,
                ours[0].blocks,
                names=lambda n: n == name,
                resamples=0,
                permutations=TIE_PERMUTATIONS,
            )
        except (RecordError, DataError):
            continue
        if found:
            p_values[k] = found[0].p_value
    return p_values
