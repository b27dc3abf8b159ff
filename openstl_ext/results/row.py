"""Row of a table: the runs of one config, or a baseline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from openstl_ext.results.protocol import canonical
from openstl_ext.results.record import Record
from openstl_ext.results.score import Score, score

FACTS = (
    *("num_parameters", "flops", "flops_apart", "uncounted"),
    *("frames_per_second", "latency", "peak_memory", "training_time"),
)
"""Costs of a row that all formats show."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The runs of one config, or a baseline.

    Args:
        name: Published name of the recipe.
        config: Identity of the config; empty for a baseline.
        records: The runs, one per seed.
        scores: Scores by name.
        overrides: Values of ``--cfg-options``; a row with any is a probe.
        postprocessor: Name of the change of the forecasts before these scores; empty for none.
        checkpoint: File and checksum, where another checkpoint of these seeds has the main row.
        differs: Differences of the training from that of the row above with this config, a phrase
            each.
        tied: Metrics for which no difference from the best row was found.
        tested: Metrics for which such a difference was looked for; the best row is among them.
    """

    name: str
    config: str
    records: tuple[Record, ...]
    scores: dict[str, Score]
    overrides: tuple[str, ...] = ()
    postprocessor: str = ""
    checkpoint: str = ""
    differs: tuple[str, ...] = ()
    tied: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Name, followed by the checkpoint if it is not the main one, and the postprocessor."""
        name = f"{self.name} ({self.checkpoint})" if self.checkpoint else self.name
        return f"{name} + {self.postprocessor}" if self.postprocessor else name

    def is_tied(self, metric: str) -> bool | None:
        """Return whether no difference from the best row was found; None without a test."""
        return metric in self.tied if metric in self.tested else None

    @property
    def is_baseline(self) -> bool:
        """Whether it is a baseline, which has no config."""
        return not self.config

    @property
    def kind(self) -> str:
        """One of ``baseline``, ``probe``, ``unknown`` (training) and ``run``."""
        if self.is_baseline or self.overrides:
            return "baseline" if self.is_baseline else "probe"
        return "unknown" if self.is_unknown else "run"

    @property
    def is_unknown(self) -> bool:
        """Whether the checkpoint does not state its training, so that it may be any."""
        return not self.is_baseline and any(record.training is None for record in self.records)

    @property
    def counts(self) -> bool:
        """Whether the row may be the best one: a baseline, or the recipe as it is."""
        return self.kind in ("baseline", "run") and not self.checkpoint

    @property
    def seeds(self) -> list[int | None]:
        """Seed of each run."""
        return [] if self.is_baseline else [record.seed for record in self.records]

    @property
    def claimed(self) -> dict[str, float]:
        """Published numbers; those of the latest run, because configs are corrected.

        None for other forecasts than those of the recipe on observed data.
        """
        latest = max(self.records, key=lambda r: r.date)
        if not self.config or self.overrides or self.postprocessor or latest.synthetic:
            return {}
        return latest.claimed

    @cached_property
    def values(self) -> list[dict[str, float | None]]:
        """Scores of each run; of a baseline, those that differ between runs."""
        if self.config:
            found = [{"": r.metrics, **r.postprocessed} for r in self.records]
            return [scores.get(self.postprocessor, {}) for scores in found]
        # six digits: machines round differently, which does not make a second baseline
        known = (record.baselines[self.name] for record in self.records)
        return list({_rounded(values): values for values in known}.values())

    def facts(self, field: str) -> list[Any]:
        """Return the distinct values of a field of the records; one if all runs agree."""
        values = [getattr(record, field) for record in self.records] if self.config else []
        distinct = {canonical(value): value for value in values if value is not None}
        return [distinct[key] for key in sorted(distinct)]

    @property
    def selected_on_test(self) -> bool:
        """Whether a checkpoint was selected on the test data."""
        return any(r.selection and r.selection["on_test"] for r in self.records) and not (
            self.is_baseline
        )


def with_scores(row: Row, metrics: Iterable[str]) -> Row:
    """Return a row with the scores of its runs."""
    found = row.values
    return replace(row, scores={m: score(values.get(m) for values in found) for m in metrics})


def part_of(row: Row, runs: Sequence[Record]) -> Row:
    """Return a row of some of the runs of a row; its name states which.

    Args:
        row: A row of a config.
        runs: Some of its runs.
    """
    seeds = ", ".join("unknown" if run.seed is None else str(run.seed) for run in runs)
    what = f"seed{'s' * (len(runs) > 1)} {seeds}, {len(runs)} of {len(row.records)} runs"
    none: frozenset[str] = frozenset()
    part = replace(row, name=f"{row.name} ({what})", records=tuple(runs), tied=none, tested=none)
    return with_scores(part, row.scores)


def _rounded(values: dict[str, float | None]) -> str:
    return canonical({k: v if v is None else f"{v:.6g}" for k, v in values.items()})
