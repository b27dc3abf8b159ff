"""Rows of a table with their kept tallies."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, UserError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.results.board import Board
from openstl_ext.results.kept_tallies import KeptTallies, tallies_file
from openstl_ext.results.protocol import Protocol
from openstl_ext.results.record import Record, RecordError
from openstl_ext.results.row import Row
from openstl_ext.structures import Channel, Metainfo

TOLERANCE = 1e-5
"""Largest difference of a score from that of the record, as a share."""
UNFITTED = "Persistence"
SAME_DATA = 1e-4
"""Largest difference of a score of persistence that rounding may cause, as a share."""


def runs_of(board: Board, row: Row, metrics: Mapping[str, SampleMetric]) -> list[KeptTallies]:
    """Read the tallies of the runs of a row; those of a baseline are of one of its runs.

    Args:
        board: Board of the row.
        row: A row of a config or a baseline.
        metrics: Metrics to read, by name.

    Raises:
        RecordError: If a run kept no tallies, or they are not those of its record.
    """
    if row.postprocessor:
        raise RecordError(
            f"{row.label}: tallies after a postprocessor are not kept; compare the row without it"
        )
    if not row.is_baseline:
        return [_read(board, record, "", metrics) for record in row.records]
    problems = []
    for record in row.records:
        try:
            return [_read(board, record, row.name, metrics)]
        except RecordError as error:
            problems.append(error)
    raise problems[0]


def check_same_data(board: Board, one: Row, other: Row) -> None:
    """Reject runs whose test data have other values under one protocol, such as a new drawing.

    Persistence shows it: it is not fitted, so that its scores follow from the test data.

    Raises:
        DataError: With the scores and both records.
    """
    records = [record for row in (one, other) for record in row.records]
    known = [(r, r.baselines[UNFITTED]) for r in records if UNFITTED in r.baselines]
    for record, scores in known[1:]:
        first, expected = known[0]
        for name, value in scores.items():
            wanted = expected.get(name)
            if value is None or wanted is None:
                continue
            if not math.isclose(value, wanted, rel_tol=SAME_DATA, abs_tol=1e-6):
                raise DataError(
                    f"the test data of {board.path_of(record)} have other values than those of "
                    f"{board.path_of(first)}: {name} of {UNFITTED} is {value:.5g}, not "
                    f"{wanted:.5g}; test both on the same data"
                )


def _read(
    board: Board, record: Record, baseline: str, metrics: Mapping[str, SampleMetric]
) -> KeptTallies:
    path = tallies_file(board.path_of(record), baseline)
    kept = KeptTallies.read(path, list(metrics))
    scores = record.baselines.get(baseline, {}) if baseline else record.metrics
    same = kept.about.fingerprint == record.protocol["fingerprint"]
    same &= kept.about.subject == record.subject and kept.about.baseline == baseline
    for name, metric in metrics.items():
        found, known = _score(metric, kept.tallies[name], path), scores.get(name)
        same &= known is None or math.isclose(
            found, known, rel_tol=TOLERANCE, abs_tol=TOLERANCE * _size(kept.tallies[name])
        )
    if not same:
        raise RecordError(
            f"{path} is of another test than {board.path_of(record).name} beside it; run the test "
            "again"
        )
    return kept


def _score(metric: SampleMetric, tallies: NDArray[np.float64], path: Path) -> float:
    """Return the overall score of tallies.

    Raises:
        RecordError: If they are not of the form that the metric has now.
    """
    try:
        return metric.compute_metrics(tallies)[metric.name]
    except Exception as error:  # any, because the metric may be a plugin
        raise RecordError(
            f"{path}: the tallies of {metric.name} are of another version of the metric "
            f"({type(error).__name__}); run the test again"
        ) from error


def _size(tallies: NDArray[np.float64]) -> float:
    """Return the mean absolute total per weight, which a score of cancelling terms is below."""
    weight = float(tallies[:, WEIGHT].sum())
    return float(np.abs(tallies[:, TOTAL]).sum()) / weight if weight else 0.0


def metrics_of(protocol: Protocol) -> dict[str, SampleMetric]:
    """Build the metrics of a protocol that can be computed from tallies, by name.

    Args:
        protocol: Protocol of a table.
    """
    return {metric.name: metric for metric in _built(protocol) if metric.is_paired}


def unpaired(protocol: Protocol) -> set[str]:
    """Return the names of metrics of all samples at once, which keep no tallies."""
    return {metric.name for metric in _built(protocol) if not metric.is_paired}


def _built(protocol: Protocol) -> Iterator[SampleMetric]:
    for config in protocol["evaluator"]:
        try:
            metric = METRICS.build(config)
        except (UserError, TypeError, KeyError, FileNotFoundError):
            continue  # of a plugin that is not here, or with a file that the protocol leaves out
        if isinstance(metric, SampleMetric):
            metric.dataset_meta = _metainfo(protocol["metainfo"])
            yield metric


def _metainfo(facts: dict[str, Any]) -> Metainfo:
    channels = tuple(Channel(**channel) for channel in facts.get("channels") or ())
    lead = facts.get("lead") or (1, "frame")
    return Metainfo(
        name=str(facts.get("name", "")),
        channels=channels,
        lead=(lead[0], lead[1]),
        classes=tuple(facts.get("classes") or ()),
    )


def pairs_of(
    ours: Sequence[KeptTallies], theirs: Sequence[KeptTallies], metric: str
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the tallies of one metric, each run of A with each of B, in one order of samples.

    Nothing if they have different entries, such as ranks of ensembles of different sizes.

    Raises:
        DataError: If the tallies are of other samples or blocks.
    """
    first = ours[0]
    one, other = ([_in_order(kept, first, metric) for kept in runs] for runs in (ours, theirs))
    if len({tallies.shape[1:] for tallies in (*one, *other)}) > 1:
        return []
    return list(itertools.product(one, other))


def _in_order(kept: KeptTallies, first: KeptTallies, metric: str) -> NDArray[np.float64]:
    if kept.samples == first.samples and kept.blocks == first.blocks:
        return kept.tallies[metric]
    places = {sample: place for place, sample in enumerate(kept.samples)}
    if len(places) != len(kept.samples) or set(places) != set(first.samples):
        raise DataError(
            f"the tallies are of other samples: {len(kept.samples)} and {len(first.samples)}, "
            f"{len(places.keys() & set(first.samples))} in both; test both on the same data"
        )
    order = [places[sample] for sample in first.samples]
    if [kept.blocks[place] for place in order] != list(first.blocks):
        raise DataError(
            "the tallies are of other blocks of samples, because the dataset named them otherwise "
            "at one of the tests; run the older test again"
        )
    return kept.tallies[metric][order]
