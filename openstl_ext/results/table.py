"""Tables of comparable rows: one per protocol."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from openstl_ext.errors import UserError, nearest
from openstl_ext.results.claims import Claim, claims_under
from openstl_ext.results.protocol import Protocol, differences
from openstl_ext.results.record import Record
from openstl_ext.results.row import Row, with_scores
from openstl_ext.score_name import ScoreName, alike, matching, metric_name


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows of one protocol, best first.

    Args:
        protocol: Protocol of all rows.
        metrics: Columns; the rows are sorted by the first one.
        about: Unit and direction of each metric.
        rows: Configs and baselines together.
        differs: Differences of the protocol from ``beside``, a phrase each.
        beside: Fingerprint of the most similar table before this one.
        claims: Published results under this protocol, which are no rows.
    """

    protocol: Protocol
    metrics: tuple[str, ...]
    about: dict[str, dict[str, Any]]
    rows: tuple[Row, ...]
    differs: tuple[str, ...] = ()
    beside: str | None = None
    claims: tuple[Claim, ...] = ()

    @property
    def name(self) -> str:
        """Name of the data."""
        return _dataset_of(self.protocol)

    def label_of(self, row: Row) -> str:
        """Return the label of a row, with what distinguishes it from rows of the same label.

        A probe has its options, of which a long text is cut.
        """
        text = row.label if self._labels[row.label] < 2 else f"{row.label}, {row.config}"
        text += " (trained otherwise)" * bool(row.differs) + " (training unknown)" * row.is_unknown
        options = " ".join(row.overrides)
        options = options if len(options) <= 60 else f"{options[:57]}..."
        return f"{text} (probe: {options})" if options else text

    @cached_property
    def _labels(self) -> Counter[str]:
        return Counter(row.label for row in self.rows)

    @property
    def untested(self) -> str:
        """Rows with a score that was tested for others but not for them, as a text."""
        tested = {metric for row in self.rows for metric in row.tested}
        names = [
            self.label_of(row)
            for row in self.rows
            if any(row.scores[m].mean is not None for m in tested - row.tested)
        ]
        more = f" and {len(names) - 8} more" * (len(names) > 8)
        return ", ".join(names[:8]) + more

    @property
    def predicts_labels(self) -> bool:
        """Whether the targets are labels; frames otherwise."""
        return "data_samples.labels" in self.protocol["shapes"]

    @property
    def synthetic(self) -> bool:
        """Whether the data are generated."""
        return any(record.synthetic for row in self.rows for record in row.records)

    @property
    def left_out(self) -> dict[str, str]:
        """Reason for each baseline that the data do not allow."""
        known = {row.name for row in self.rows if row.is_baseline}
        found = (r.baselines_left_out for row in self.rows for r in row.records)
        return {k: v for reasons in found for k, v in reasons.items() if k not in known}

    def best(self, metric: str) -> float | None:
        """Return the best mean of baselines and of recipes as they are."""
        return self._best[metric]

    @cached_property
    def _best(self) -> dict[str, float | None]:
        """Best mean of each column, which a writer asks for in every cell."""
        rows = [row for row in self.rows if row.counts]
        found: dict[str, float | None] = {}
        for metric in self.metrics:
            known = [m for row in rows if (m := row.scores[metric].mean) is not None]
            up = higher_is_better(self.about, metric)
            found[metric] = (max if up else min)(known) if known and up is not None else None
        return found


def tables_of(
    records: Iterable[Record],
    patterns: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
) -> list[Table]:
    """Group records by protocol, then by config, overrides and training.

    Args:
        records: One per checkpoint and protocol.
        patterns: Scores to show, in order, as in ``mse_sum ssim@* dice[site]``, where ``*``
            stands for any text; by default all but those of single leads, channels and classes.
        columns: Names of the scores of each table by its fingerprint, in place of patterns.

    Raises:
        UserError: If a pattern matches no score of any record.
    """
    groups: dict[str, list[Record]] = {}
    ordered = sorted(records, key=_order)
    for record in ordered:
        groups.setdefault(record.protocol["fingerprint"], []).append(record)
    known = {name for record in ordered for name in record.metrics}
    for pattern in patterns:
        if not matching([pattern], known):
            raise UserError(
                f"no result has a score {pattern!r}; {nearest(pattern, alike(pattern, known))}"
            )
    tables: list[Table] = []
    for fingerprint in sorted(groups, key=lambda f: (_dataset(groups[f][0]), f)):
        group = groups[fingerprint]
        shown = (columns or {}).get(fingerprint)
        metrics = _columns(group, patterns) if shown is None else tuple(shown)
        tables.append(_table(group, metrics, tables))
    return tables


def _order(record: Record) -> tuple[Any, ...]:
    """Return a key by which equal sets of records are in one order, wherever they were found."""
    recipe = (record.config, record.overrides, record.seed or 0, record.date)
    return (*recipe, record.sha256, record.training_digest, record.name)


def _table(group: list[Record], metrics: tuple[str, ...], before: Sequence[Table]) -> Table:
    """Return the table of the records of one protocol."""
    about = {name: facts for record in group for name, facts in record.about.items()}
    found = _baselines(group, metrics)
    for runs, checkpoint, differs in _runs_of_rows(group):
        row = _row(runs, metrics)
        names = sorted({name for run in runs for name in run.postprocessed})
        rows = [row, *(_row(runs, metrics, postprocessor=name) for name in names)]
        found += [replace(r, checkpoint=checkpoint, differs=differs) for r in rows]
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
        claims=claims_under(protocol),
    )


def _runs_of_rows(
    group: Iterable[Record],
) -> Iterator[tuple[list[Record], str, tuple[str, ...]]]:
    """Yield the runs of each row, one checkpoint per seed, then checkpoint and differences.

    A mean over seeds has one checkpoint of each: the best one, the latest of several. Every
    further checkpoint has a row of its own.
    """
    trainings: dict[tuple[str, ...], list[Record]] = {}
    for record in group:
        key = (record.config, *record.overrides, record.training_digest)
        trainings.setdefault(key, []).append(record)
    firsts: dict[tuple[str, ...], Record] = {}
    for (*recipe, _), records in trainings.items():
        first = firsts.setdefault(tuple(recipe), records[0])
        differs = tuple(training_differences(records[0], first))
        seeds: set[int] = set()
        main: list[Record] = []
        for record in sorted(records, key=_preference):
            if record.seed is None or record.seed not in seeds:
                main.append(record)
                seeds |= set() if record.seed is None else {record.seed}
            else:
                yield [record], checkpoint_name(record), differs
        yield sorted(main, key=lambda r: (r.seed or 0, r.date)), "", differs


def _preference(record: Record) -> tuple[Any, ...]:
    """Return a key that sorts the best checkpoint first, the latest of several."""
    facts = record.checkpoint
    is_best = facts is not None and facts["file"].startswith("best")
    iteration = (facts["iteration"] if facts else None) or 0
    return (not is_best, -iteration, record.date, checkpoint_name(record))


def checkpoint_name(record: Record) -> str:
    """Return file and short checksum of the evaluated weights."""
    facts = record.checkpoint
    return f"{facts['file']} {record.sha256[:8]}".strip() if facts else "unknown weights"


def training_differences(one: Record, other: Record) -> list[str]:
    """Return the differences of two trainings, a phrase each; none if one is not known."""
    if one.training is None or other.training is None:
        return []
    return differences(one.comparable_training, other.comparable_training)


def _row(runs: Sequence[Record], metrics: Sequence[str], *, postprocessor: str = "") -> Row:
    first, latest = runs[0], max(runs, key=lambda r: r.date)
    row = Row(
        name=latest.name,
        config=first.config,
        records=tuple(runs),
        scores={},
        overrides=tuple(first.overrides),
        postprocessor=postprocessor,
    )
    return with_scores(row, metrics)


def _baselines(group: Sequence[Record], metrics: Sequence[str]) -> list[Row]:
    """Return a row per baseline; runs of one protocol agree on them, if the training data agree."""
    rows = []
    for name in sorted({name for record in group for name in record.baselines}):
        runs = [record for record in group if name in record.baselines]
        rows.append(with_scores(Row(name=name, config="", records=tuple(runs), scores={}), metrics))
    return rows


def higher_is_better(about: dict[str, dict[str, Any]], metric: str) -> bool | None:
    """Return the direction of a score, that of its metric."""
    facts = about.get(metric) or about.get(metric_name(metric)) or {}
    return facts.get("higher_is_better")


def _columns(group: Sequence[Record], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the scores to show, in the order of the records or in that of the patterns."""
    known = list(dict.fromkeys(name for record in group for name in record.metrics))
    return tuple(matching(patterns, known)) if patterns else tuple(_default(group, known))


def _default(group: Sequence[Record], known: Sequence[str]) -> Iterator[str]:
    """Yield pooled scores; those of channels where channels have different units."""
    pooled = {name: any(record.metrics.get(name) is not None for record in group) for name in known}
    for name in known:
        parts = ScoreName.parse(name)
        if parts is None or (parts.lead is None and not parts.part):
            by_channel = any(n.startswith(f"{name}[") and "@" not in n for n in known)
            if pooled[name] or not by_channel:
                yield name
        elif parts.lead is None and not pooled.get(parts.metric, True):
            yield name


def _rank(row: Row, metrics: Sequence[str], about: dict[str, dict[str, Any]]) -> tuple[Any, ...]:
    """Return the key that sorts by the first metric, best first; without a value, last."""
    mean = row.scores[metrics[0]].mean if metrics else None
    sign = -1 if metrics and higher_is_better(about, metrics[0]) else 1
    value = math.inf if mean is None else sign * mean
    return (value, row.config, row.label, row.overrides)


def _dataset_of(protocol: Protocol) -> str:
    return str(protocol["metainfo"].get("name") or protocol["dataset"].get("type", "data"))


def _dataset(record: Record) -> str:
    return _dataset_of(record.protocol)
