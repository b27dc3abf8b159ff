"""Score of a row: mean, deviation and interquartile mean over its runs."""

import math
import random
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

RESAMPLES = 2000
"""Sets of runs that are drawn for an interval."""


@dataclass(frozen=True)
class Score:
    """Mean of a metric over the runs of a row.

    Args:
        mean: Mean over the runs that have a value; None if none has.
        std: Sample standard deviation; None for fewer than two values.
        num: Number of runs that have a value.
        iqm: Interquartile mean; None for fewer than three values.
        iqm_interval: 95 % interval of ``iqm`` under resampling of the runs.
    """

    mean: float | None
    std: float | None
    num: int
    iqm: float | None = None
    iqm_interval: tuple[float, float] | None = None


def score(values: Iterable[float | None]) -> Score:
    """Compute mean and sample standard deviation of the values that are known."""
    known = [v for v in values if v is not None]
    if not known:
        return Score(None, None, 0)
    spread = statistics.stdev(known) if len(known) > 1 else None
    middle = interquartile_mean(known) if len(known) > 2 else None
    return Score(
        mean=math.fsum(known) / len(known),
        std=spread,
        num=len(known),
        iqm=middle,
        iqm_interval=None if middle is None else _interval_of_runs(known),
    )


def interquartile_mean(values: Sequence[float]) -> float:
    """Return the mean of the middle half; a quarter of the values, rounded down, is cut twice.

    Source:
        Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice
        (arXiv:2108.13264).
    """
    cut = len(values) // 4
    middle = sorted(values)[cut : len(values) - cut]
    return math.fsum(middle) / len(middle)


def _interval_of_runs(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the interquartile mean, by drawing runs with replacement."""
    ordered = sorted(values)
    drawn = sorted(
        (math.fsum(ordered[place] for place in middle) / len(middle), times)
        for middle, times in _middles(len(values)).items()
    )
    means = [mean for mean, times in drawn for _ in range(times)]
    return means[round(0.025 * (RESAMPLES - 1))], means[round(0.975 * (RESAMPLES - 1))]


@cache
def _middles(size: int) -> Counter[tuple[int, ...]]:
    """Return the middle halves of drawn sets of runs, as places in order, and how often each is."""
    rng, cut = random.Random(0), size // 4
    drawn = (sorted(rng.choices(range(size), k=size)) for _ in range(RESAMPLES))
    return Counter(tuple(places[cut : size - cut]) for places in drawn)
