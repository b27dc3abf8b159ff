"""Difference of two models on the same samples: bootstrap interval and permutation test."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.tallies import TOTAL, WEIGHT, members_of
from openstl_ext.score_name import ScoreName

Array = NDArray[np.float64]
CHUNK = 256
"""Resampled test sets that are computed at once."""
ROUNDING = 1e-9
"""Relative difference below which two statistics are equal."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One score of two models, A and B.

    Args:
        name: Name of the score.
        one: Score of A, the mean over its runs.
        other: Score of B.
        interval: 95 % interval of ``one - other`` under resampling of the blocks; None where it
            is not finite.
        p_value: Probability of a difference at least as large if both models were equal, by
            exchanging the models in random blocks.
        corrected: The same for all scores of the comparison together, by Holm's method.
    """

    name: ScoreName
    one: float
    other: float
    interval: tuple[float, float] | None
    p_value: float
    corrected: float = math.nan

    @property
    def difference(self) -> float:
        """``one - other``."""
        return self.one - self.other


def paired_differences(
    metric: SampleMetric,
    pairs: Sequence[tuple[Array, Array]],
    blocks: Sequence[str],
    *,
    names: Callable[[ScoreName], bool] = lambda name: True,  # noqa: ARG005
    resamples: int = 2000,
    permutations: int = 4999,
    seed: int = 0,
) -> list[Difference]:
    """Compare the scores of two models on the same samples.

    Both tests work on whole blocks, so that samples of one block may depend on each other. The
    bootstrap draws blocks with replacement. The permutation test exchanges the two models in
    each block with probability 1/2; all exchanges are computed where there are not more than
    ``permutations``.

    Args:
        metric: Metric of the tallies.
        pairs: Tallies (N, S, ...) of A and of B, one pair per run, such as one per seed.
        blocks: Block of each sample.
        names: Whether a score is compared.
        resamples: Test sets drawn for the interval; 0 for none.
        permutations: Exchanges drawn for the p-value.
        seed: Seed of both.

    Returns:
        The differences, without those of scores that have no value.

    Raises:
        DataError: If there are fewer than two blocks.

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 15.
    """
    members = members_of(blocks)
    size = int(members.max(initial=-1)) + 1
    if size < 2:
        raise DataError(
            f"{len(members)} samples in {size} block cannot be compared; a comparison needs "
            "two blocks of samples that do not depend on each other"
        )
    shape = pairs[0][0].shape[1:]
    wanted = [name for name in metric.scores_of(shape) if names(name)]
    known = [np.mean([_known(metric, pair[i], wanted) for pair in pairs], axis=0) for i in (0, 1)]
    wanted = [n for n, a, b in zip(wanted, *known, strict=True) if np.isfinite(a + b)]
    one, other = (k[np.isfinite(known[0] + known[1])] for k in known)
    if not wanted:
        return []
    rng = np.random.default_rng(seed)
    sets = [_Pair(metric, *pair, members, size) for pair in pairs]

    def statistics(first: Array, second: Array) -> Array:
        """Return A - B (R, scores) of test sets: how often each block of A counts, and of B."""
        parts = [p.score(first, second, wanted) - p.score(second, first, wanted) for p in sets]
        return np.mean(parts, axis=0)

    drawn = [
        np.mean([p.score(t, 0 * t, wanted) - p.score(0 * t, t, wanted) for p in sets], axis=0)
        for t in _resampled(rng, size, resamples)
    ]
    found = np.concatenate(drawn) if drawn else np.empty((0, len(wanted)))
    least = np.abs(one - other) * (1 - ROUNDING)
    counts, total = np.zeros(len(wanted)), 0
    for exchanged in _exchanges(rng, size, permutations):
        counts += (np.abs(statistics(1 - exchanged, exchanged)) >= least).sum(axis=0)
        total += len(exchanged)
    exact = 2**size <= permutations
    p_values = counts / total if exact else (counts + 1) / (total + 1)
    return [
        Difference(
            name=name,
            one=float(one[k]),
            other=float(other[k]),
            interval=_interval(found[:, k]),
            p_value=float(p_values[k]),
        )
        for k, name in enumerate(wanted)
    ]


def least_p_value(num_blocks: int) -> float:
    """Return the smallest p-value of so many blocks: two of all exchanges differ as much."""
    return 2.0 ** (1 - num_blocks)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, so that all together are wrong with one probability.

    Source:
        Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, p_values[k] * (len(p_values) - rank)))
        corrected[k] = largest
    return corrected


class _Pair:
    """Tallies of A and B of one run, and their scores for test sets of both.

    Tallies that are added are added within each block first.
    """

    def __init__(
        self, metric: SampleMetric, one: Array, other: Array, members: NDArray[np.intp], size: int
    ) -> None:
        self.metric, self.shape = metric, one.shape[1:]
        self.functions = metric.scores_of(self.shape)
        self.members: NDArray[np.intp] | None = members
        if type(metric).pooling is SampleMetric.pooling:
            one, other = (_sums_of_blocks(t, members, size) for t in (one, other))
            self.members = None
        self.flat = np.concatenate([one, other]).reshape(2 * len(one), -1)
        if self.members is not None:
            self.pooled = metric.pooling(np.concatenate([one, other]))

    def score(self, first: Array, second: Array, names: Sequence[ScoreName]) -> Array:
        """Return the scores (R, names) of sets with each block of A and of B so often, (R, B)."""
        if self.members is None:
            with np.errstate(invalid="ignore"):
                flat = np.concatenate([first, second], axis=1) @ self.flat
            sums = flat.reshape(len(first), *self.shape)
        else:
            times = np.concatenate([first[:, self.members], second[:, self.members]], axis=1)
            sums = np.stack([self.pooled(each) for each in times])
        return np.stack([self._scores(name, sums) for name in names], axis=1)

    def _scores(self, name: ScoreName, sums: Array) -> Array:
        """Return a score of each of many sums (R, S, ...)."""
        metric, kind = self.metric, type(self.metric)
        is_quotient = kind.combine is SampleMetric.combine and kind.overall is SampleMetric.overall
        if not is_quotient or name.part or metric.is_undefined_for_all_channels:
            return np.array([self.functions[name](each) for each in sums])
        part = sums if name.lead is None else sums[:, :, name.lead - 1]
        pooled = part.reshape(*part.shape[:2], -1).sum(axis=2)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = pooled[:, TOTAL] / pooled[:, WEIGHT]
        return np.array([math.nan if math.isnan(m) else metric.finish(m) for m in means.tolist()])


def _known(metric: SampleMetric, tallies: Array, names: Sequence[ScoreName]) -> Array:
    """Return the scores of all samples, as a record has them."""
    functions, sums = metric.scores_of(tallies.shape[1:]), metric.pooling(tallies)(None)
    return np.array([float(functions[name](sums)) for name in names])


def _sums_of_blocks(tallies: Array, members: NDArray[np.intp], size: int) -> Array:
    found = np.zeros((size, *tallies.shape[1:]))
    np.add.at(found, members, tallies)
    return found


def _resampled(rng: np.random.Generator, size: int, number: int) -> Iterator[Array]:
    """Yield how often each block is drawn, (R, B), in chunks."""
    share = np.full(size, 1 / size)
    for start in range(0, number, CHUNK):
        yield rng.multinomial(size, share, size=min(CHUNK, number - start)).astype(float)


def _exchanges(rng: np.random.Generator, size: int, number: int) -> Iterator[Array]:
    """Yield the blocks in which the models are exchanged, (R, B), in chunks; all if so few."""
    if 2**size <= number:
        yield (np.arange(2**size)[:, None] >> np.arange(size) & 1).astype(float)
        return
    for start in range(0, number, CHUNK):
        yield rng.integers(0, 2, (min(CHUNK, number - start), size)).astype(float)


def _interval(values: Array) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, (0.025, 0.975)).tolist()
    return low, high
