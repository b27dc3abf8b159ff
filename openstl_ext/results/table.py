"""Rows that may be compared: one table for each way of being judged."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from openstl_ext.errors import UserError, nearest
from openstl_ext.results.protocol import Protocol, canonical, differences
from openstl_ext.results.record import Record


@dataclass(frozen=True)
class Score:
    """Mean of a metric over the runs of a row.

    Args:
        mean: Mean over the runs that have a value; None if none has.
        std: Sample standard deviation; None for fewer than two values.
        num: How many runs have a value.
    """

    mean: float | None
    std: float | None
    num: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """The runs of one config, or a forecast that costs nothing.

    Args:
        name: Published name of the recipe.
        config: Identity of the config; empty for a baseline.
        records: The runs, one a seed.
        scores: By metric.
        overrides: What ``--cfg-options`` set; a row with any is a probe.
    """

    name: str
    config: str
    records: tuple[Record, ...]
    scores: dict[str, Score]
    overrides: tuple[str, ...] = ()

    @property
    def is_baseline(self) -> bool:
        """Whether nobody trained it."""
        return not self.config

    @property
    def claimed(self) -> dict[str, float]:
        """Published numbers; those of the latest run, as configs get corrected."""
        return max(self.records, key=lambda r: r.date).claimed if self.config else {}

    def facts(self, field: str) -> list[Any]:
        """Distinct values of a field of the records, in order; one where all runs agree."""
        values = [getattr(record, field) for record in self.records] if self.config else []
        distinct = {canonical(value): value for value in values if value is not None}
        return [distinct[key] for key in sorted(distinct)]

    @property
    def selected_on_test(self) -> bool:
        """Whether a checkpoint was chosen on the data it is judged on."""
        return any(r.selection and r.selection["on_test"] for r in self.records) and not (
            self.is_baseline
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows of one protocol, best first.

    Args:
        protocol: How they were judged.
        metrics: Columns; the first one sorts.
        about: Unit and direction of each metric.
        rows: Configs and baselines, mixed, by the first metric.
        differs: Phrases that say what sets the protocol apart from ``beside``.
        beside: Fingerprint of the most similar table before this one.
    """

    protocol: Protocol
    metrics: tuple[str, ...]
    about: dict[str, dict[str, Any]]
    rows: tuple[Row, ...]
    differs: tuple[str, ...] = ()
    beside: str | None = None

    @property
    def answers_with_labels(self) -> bool:
        """Whether the truth is classes; frames otherwise."""
        return "data_samples.labels" in self.protocol["shapes"]

    @property
    def synthetic(self) -> bool:
        """Whether the data were made up."""
        return any(record.synthetic for row in self.rows for record in row.records)

    def best(self, metric: str) -> float | None:
        """The best mean; probes do not compete."""
        means = [row.scores[metric].mean for row in self.rows if not row.overrides]
        known = [mean for mean in means if mean is not None]
        if not known or higher_is_better(self.about, metric) is None:
            return None
        return max(known) if higher_is_better(self.about, metric) else min(known)


def tables_of(records: Iterable[Record], patterns: Sequence[str] = ()) -> list[Table]:
    """Group records by protocol, then by config and overrides.

    Args:
        records: One a run: two of the same config, seed and protocol must not both be given.
        patterns: Metrics to show, in order, as in ``mse_sum ssim@* dice@site``; by default all
            but those of single lead times and classes.

    Raises:
        UserError: If a pattern fits no metric of any record.
    """
    groups: dict[str, list[Record]] = {}
    ordered = sorted(records, key=lambda r: (r.config, r.overrides, r.seed or 0, r.date))
    for record in ordered:
        groups.setdefault(record.protocol["fingerprint"], []).append(record)
    known = {name for record in ordered for name in record.metrics}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise UserError(f"no result has a metric {pattern!r}; {nearest(pattern, known)}")
    tables: list[Table] = []
    for fingerprint in sorted(groups, key=lambda f: (_dataset(groups[f][0]), f)):
        tables.append(_table(groups[fingerprint], patterns, tables))
    return tables


def _table(group: list[Record], patterns: Sequence[str], before: Sequence[Table]) -> Table:
    """The table of the records of one protocol."""
    about = {name: facts for record in group for name, facts in record.about.items()}
    metrics = _columns(group, patterns)
    rows: dict[tuple[str, ...], list[Record]] = {}
    for record in group:
        rows.setdefault((record.config, *record.overrides), []).append(record)
    found = [_row(runs, metrics) for runs in rows.values()] + _baselines(group, metrics)
    found.sort(key=lambda row: _rank(row, metrics, about))
    protocol = group[0].protocol
    kin = [t for t in before if _dataset_of(t.protocol) == _dataset_of(protocol)]
    near = min(kin, key=lambda t: len(differences(protocol, t.protocol)), default=None)
    return Table(
        protocol=protocol,
        metrics=metrics,
        about=about,
        rows=tuple(found),
        differs=tuple(differences(protocol, near.protocol)) if near else (),
        beside=near.protocol["fingerprint"] if near else None,
    )


def _row(runs: Sequence[Record], metrics: Sequence[str]) -> Row:
    scores = {m: score(run.metrics.get(m) for run in runs) for m in metrics}
    first, latest = runs[0], max(runs, key=lambda r: r.date)
    return Row(
        name=latest.name,
        config=first.config,
        records=tuple(runs),
        scores=scores,
        overrides=tuple(first.overrides),
    )


def _baselines(group: Sequence[Record], metrics: Sequence[str]) -> list[Row]:
    """A row each; runs of one protocol agree on them, unless they trained on other data."""
    rows = []
    for name in sorted({name for record in group for name in record.baselines}):
        runs = [record for record in group if name in record.baselines]
        # six digits: machines round differently, and that is no second baseline
        distinct = {_rounded(r.baselines[name]): r.baselines[name] for r in runs}
        scores = {m: score(values.get(m) for values in distinct.values()) for m in metrics}
        rows.append(Row(name=name, config="", records=tuple(runs), scores=scores))
    return rows


def _rounded(values: dict[str, float | None]) -> str:
    return canonical({k: v if v is None else f"{v:.6g}" for k, v in values.items()})


def score(values: Iterable[float | None]) -> Score:
    """Mean and sample standard deviation of what is known."""
    known = [v for v in values if v is not None]
    if not known:
        return Score(None, None, 0)
    spread = statistics.stdev(known) if len(known) > 1 else None
    return Score(math.fsum(known) / len(known), spread, len(known))


def higher_is_better(about: dict[str, dict[str, Any]], metric: str) -> bool | None:
    """Direction of a metric; one of a single lead time or class has that of the whole."""
    facts = about.get(metric) or about.get(metric.partition("@")[0]) or {}
    return facts.get("higher_is_better")


def _columns(group: Sequence[Record], patterns: Sequence[str]) -> tuple[str, ...]:
    """Metrics in the order of the records, or in that of the patterns."""
    known = list(dict.fromkeys(name for record in group for name in record.metrics))
    if not patterns:
        return tuple(name for name in known if "@" not in name)
    wanted = [name for pattern in patterns for name in known if fnmatchcase(name, pattern)]
    return tuple(dict.fromkeys(wanted))


def _rank(row: Row, metrics: Sequence[str], about: dict[str, dict[str, Any]]) -> tuple[Any, ...]:
    """Best first by the first metric; without a value, last."""
    mean = row.scores[metrics[0]].mean if metrics else None
    sign = -1 if metrics and higher_is_better(about, metrics[0]) else 1
    value = math.inf if mean is None else sign * mean
    return (value, row.config, row.name, row.overrides)


def _dataset_of(protocol: Protocol) -> str:
    return str(protocol["metainfo"].get("name") or protocol["dataset"].get("type", "data"))


def _dataset(record: Record) -> str:
    return _dataset_of(record.protocol)
