"""Intervals of the scores of a row, lead by lead, from its kept tallies."""

import numpy as np

from openstl_ext.comparison.rows import metrics_of, runs_of
from openstl_ext.errors import DataError
from openstl_ext.metrics.tallies import bootstrap_intervals
from openstl_ext.results.board import Board
from openstl_ext.results.horizons import Intervals
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table
from openstl_ext.score_name import metric_name


def intervals_from(board: Board) -> Intervals:
    """Return a function from the scores of a row to their 95 % intervals.

    A test set of as many blocks of samples is drawn again and again. The interval of several seeds
    is the mean of theirs: what another test set would change, not another seed.

    Args:
        board: Board of the rows.

    Raises:
        RecordError: By the function, if a run kept no tallies.
        DataError: By the function, if the metric cannot be computed again, as that of a plugin.
    """

    def intervals(
        table: Table, row: Row, scores: list[str]
    ) -> tuple[tuple[float, float] | None, ...]:
        name = metric_name(scores[0])
        metric = metrics_of(table.protocol).get(name)
        if metric is None:
            raise DataError(f"{name} cannot be computed from tallies; use --band seeds")
        ends = []
        for kept in runs_of(board, row, {name: metric}):
            tallies = kept.tallies[name]
            found = {str(n): f for n, f in metric.scores_of(tallies.shape[1:]).items()}
            wanted = {score: found[score] for score in scores if score in found}
            drawn = bootstrap_intervals(tallies, wanted, pooling=metric.pooling, blocks=kept.blocks)
            pairs = [drawn.get(score) or (np.nan, np.nan) for score in scores]
            ends.append(np.array(pairs, dtype=float))
        means = np.mean(ends, axis=0).tolist()
        return tuple((low, high) if np.isfinite(low + high) else None for low, high in means)

    return intervals
