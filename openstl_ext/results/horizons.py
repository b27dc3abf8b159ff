"""Curves of a score over the leads, from the rows of a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openstl_ext.errors import UserError, nearest
from openstl_ext.results.board import Board
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table, higher_is_better
from openstl_ext.score_name import ScoreName, metric_name

Intervals = Callable[[Table, Row, list[str]], tuple[tuple[float, float] | None, ...]]
"""Function from the scores of a row to their intervals."""


@dataclass(frozen=True)
class Curve:
    """Scores of one row of a table, lead by lead.

    Args:
        name: Of the recipe or the baseline.
        is_baseline: Whether it is a baseline.
        means: Mean of the score over the runs, one per lead; None where there is none.
        spreads: Sample standard deviations; None for fewer than two runs.
        num_runs: Seeds of the recipe; 1 for a baseline.
        intervals: Interval of each lead under resampling of the samples; empty without.
    """

    name: str
    is_baseline: bool
    means: tuple[float | None, ...]
    spreads: tuple[float | None, ...]
    num_runs: int
    intervals: tuple[tuple[float, float] | None, ...] = ()


@dataclass(frozen=True)
class HorizonPlot:
    """Comparable curves: those of one protocol.

    Args:
        title: Name of the data, and whether they are synthetic.
        fingerprint: Fingerprint of the protocol.
        metric: Name of the score without the lead, as in ``mae`` or ``mae[t2m]``.
        unit: Unit of the score.
        higher_is_better: Its direction; None where it has none.
        ahead: Time of each lead in ``time_unit``.
        time_unit: Unit of time; ``frame`` where the data have none.
        num_valid: Valid pixels of each lead; empty where the metric does not count them.
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


def plots_of(board: Board, metric: str, intervals: Intervals | None = None) -> list[HorizonPlot]:
    """Return a plot for each protocol that has the score lead by lead.

    Args:
        board: Read with the pattern ``*``, so that single leads are in its tables.
        metric: Name of the score, as in ``mae`` for ``mae@1``, ``mae@2`` ...
        intervals: Computes the bands of the curves; those over seeds without it.

    Raises:
        UserError: If no result has it; the message has the nearest name.
    """
    plots = [_plot(table, metric, intervals) for table in board.tables if leads_of(table, metric)]
    if not plots:
        known = {
            base
            for table in board.tables
            for row in table.rows
            for record in row.records
            for base, _ in map(_split, record.metrics)
            if base
        }
        raise UserError(f"no result has {metric!r} lead by lead; {nearest(metric, known)}")
    return plots


def leads_of(table: Table, metric: str) -> list[int]:
    """Return the leads that any run of a table has a score for, counted from 1."""
    keys = {key for row in table.rows for record in row.records for key in record.metrics}
    last = max((lead for base, lead in map(_split, keys) if base == metric), default=0)
    return list(range(1, last + 1))


def _split(score: str) -> tuple[str, int]:
    """Return the name without the lead, and the lead; nothing for a score of all leads."""
    name = ScoreName.parse(score)
    if name is None or name.lead is None:
        return "", 0
    return str(replace(name, lead=None)), name.lead


def _plot(table: Table, metric: str, intervals: Intervals | None) -> HorizonPlot:
    leads, facts = leads_of(table, metric), table.about.get(metric_name(metric)) or {}
    metainfo = table.protocol["metainfo"]
    length, time_unit = metainfo.get("lead") or (1, "frame")
    numbers = facts.get("num_valid") or ()
    return HorizonPlot(
        title=f"{table.name} (synthetic)" if table.synthetic else table.name,
        fingerprint=table.protocol["fingerprint"],
        metric=metric,
        unit=_unit(metric, facts),
        higher_is_better=higher_is_better(table.about, metric),
        ahead=tuple(length * lead for lead in leads),
        time_unit=str(time_unit),
        num_valid=tuple(numbers) if len(numbers) == len(leads) else (),
        curves=_curves(table, [f"{metric}@{lead}" for lead in leads], intervals),
    )


def _unit(metric: str, facts: Mapping[str, Any]) -> str:
    name = ScoreName.parse(metric)
    return str((facts.get("units") or {}).get(name.part if name else "") or facts.get("unit") or "")


def _curves(table: Table, keys: list[str], intervals: Intervals | None) -> tuple[Curve, ...]:
    """Return the curves of rows that have any of the scores."""
    found = []
    for row in table.rows:
        scores = [row.scores.get(key) for key in keys]
        if not any(score and score.num for score in scores):
            continue
        found.append(
            Curve(
                name=table.label_of(row),
                is_baseline=row.is_baseline,
                means=tuple(score.mean if score else None for score in scores),
                spreads=tuple(score.std if score else None for score in scores),
                num_runs=1 if row.is_baseline else len(row.records),
                intervals=intervals(table, row, keys) if intervals else (),
            )
        )
    return tuple(sorted(found, key=lambda curve: curve.is_baseline))
