"""Scores against how far ahead they are: the same table, read along its leads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openstl_ext.errors import UserError, nearest
from openstl_ext.results.board import Board
from openstl_ext.results.table import Table, higher_is_better

LEAD = re.compile(r"(.+)@([1-9]\d*)")


@dataclass(frozen=True)
class Curve:
    """One row of a table, lead by lead.

    Args:
        name: Of the recipe or the baseline.
        is_baseline: Whether nobody trained it.
        means: Of the score over the runs of the row, one a lead; None where there is none.
        spreads: Their sample standard deviations; None for fewer than two runs.
        num_runs: Seeds of the recipe; 1 for a baseline.
    """

    name: str
    is_baseline: bool
    means: tuple[float | None, ...]
    spreads: tuple[float | None, ...]
    num_runs: int


@dataclass(frozen=True)
class HorizonPlot:
    """The curves of one protocol, which alone may be compared.

    Args:
        title: What the data are called, and whether they were made up.
        fingerprint: Of the protocol.
        metric: Key of the score.
        unit: Of the score.
        higher_is_better: Its direction; None where it has none.
        ahead: How far ahead each lead is, in ``time_unit``.
        time_unit: As the data have it; ``frame`` where they have none.
        num_valid: Pixels that each lead is judged on; empty where the metric does not say.
        curves: Recipes first, in the order of the table, then baselines.
    """

    title: str
    fingerprint: str
    metric: str
    unit: str
    higher_is_better: bool | None
    ahead: tuple[float, ...]
    time_unit: str
    num_valid: tuple[int, ...]
    curves: tuple[Curve, ...]


def plots_of(board: Board, metric: str) -> list[HorizonPlot]:
    """A plot for each protocol that has the metric lead by lead.

    Args:
        board: Read with the pattern ``*``, or the single leads are not in its tables.
        metric: Key of the score, as in ``mae`` for ``mae@1``, ``mae@2`` ...

    Raises:
        UserError: If no result has it; it proposes the nearest.
    """
    plots = [_plot(table, metric) for table in board.tables if leads_of(table, metric)]
    if not plots:
        known = {
            found[1]
            for table in board.tables
            for row in table.rows
            for record in row.records
            for name in record.metrics
            if (found := LEAD.fullmatch(name))
        }
        raise UserError(f"no result has {metric!r} lead by lead; {nearest(metric, known)}")
    return plots


def leads_of(table: Table, metric: str) -> list[int]:
    """Leads that any run of a table has a score for, counted from 1, without gaps."""
    keys = {key for row in table.rows for record in row.records for key in record.metrics}
    found = [LEAD.fullmatch(key) for key in keys]
    last = max((int(m[2]) for m in found if m is not None and m[1] == metric), default=0)
    return list(range(1, last + 1))


def _plot(table: Table, metric: str) -> HorizonPlot:
    leads, facts = leads_of(table, metric), table.about.get(metric) or {}
    metainfo = table.protocol["metainfo"]
    length, time_unit = metainfo.get("lead") or (1, "frame")
    numbers = facts.get("num_valid") or ()
    data = str(metainfo.get("name") or table.protocol["dataset"].get("type", "data"))
    return HorizonPlot(
        title=f"{data} (synthetic)" if table.synthetic else data,
        fingerprint=table.protocol["fingerprint"],
        metric=metric,
        unit=str(facts.get("unit") or "").replace("data unit", str(metainfo.get("unit") or "1")),
        higher_is_better=higher_is_better(table.about, metric),
        ahead=tuple(length * lead for lead in leads),
        time_unit=str(time_unit),
        num_valid=tuple(numbers) if len(numbers) == len(leads) else (),
        curves=_curves(table, [f"{metric}@{lead}" for lead in leads]),
    )


def _curves(table: Table, keys: Sequence[str]) -> tuple[Curve, ...]:
    """Rows that have any of the scores."""
    names = [row.name for row in table.rows]
    found = []
    for row in table.rows:
        scores = [row.scores.get(key) for key in keys]
        if not any(score and score.num for score in scores):
            continue
        name = row.name if names.count(row.name) == 1 else f"{row.name}, {row.config}"
        found.append(
            Curve(
                name=f"{name} (probe: {' '.join(row.overrides)})" if row.overrides else name,
                is_baseline=row.is_baseline,
                means=tuple(score.mean if score else None for score in scores),
                spreads=tuple(score.std if score else None for score in scores),
                num_runs=1 if row.is_baseline else len(row.records),
            )
        )
    return tuple(sorted(found, key=lambda curve: curve.is_baseline))
