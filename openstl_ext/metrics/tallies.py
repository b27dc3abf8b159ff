"""A few numbers a sample, and the arithmetic that turns them into one score."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError

TOTAL, WEIGHT = 0, 1
"""Places on the second axis of an array of tallies, which is (N, 2, T)."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a metric keeps of one sample.

    Args:
        total: What is summed, one number a lead.
        weight: What the sum is divided by, one number a lead; 0 where there was nothing to judge.

    Shape:
        - total, weight: (T,).
    """

    total: Tensor
    weight: Tensor


def merge_shards(shards: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Put the tallies of all ranks into the order of the dataset.

    Rank r of W judges samples r, r + W, r + 2W ... A rank that has more or fewer would count a
    sample twice or never, and no later step could tell.

    Args:
        shards: The tallies of each rank, in the order in which it saw its samples.
        size: Number of samples in the dataset.

    Shape:
        - each shard: (n, 2, T); returns: (size, 2, T).

    Raises:
        ConfigError: Unless there is exactly one tally a sample.
        ShapeError: If samples differ in their number of leads.
    """
    found = [len(shard) for shard in shards]
    due = [len(range(rank, size, len(shards))) for rank in range(len(shards))]
    if found != due:
        raise ConfigError(
            f"the ranks judged {found} samples where {due} were due, so some of the {size} were "
            "judged twice or never; the loader's sampler must be a DefaultSampler with "
            "shuffle=False and round_up=False, and nothing may drop its last batch"
        )
    lengths = sorted({shard.shape[2] for shard in shards if len(shard)})
    if len(lengths) > 1:
        raise ShapeError(f"all samples need the same number of leads, got {lengths}")
    merged = np.empty((size, 2, lengths[0] if lengths else 0))
    for rank, shard in enumerate(shards):
        if len(shard):
            merged[rank :: len(shards)] = shard
    return merged


def exact_sum(values: np.ndarray) -> float:
    """Sum without rounding on the way, hence the same in any order; NaN and infinity pass."""
    flat = values.ravel().tolist()
    if not np.isfinite(values).all():
        return sum(flat)  # fsum refuses infinities of both signs
    return math.fsum(flat)


def score(tallies: np.ndarray, finish: Callable[[float], float]) -> float:
    """Weighted mean of tallies, finished; NaN where nothing was judged.

    Args:
        tallies: Of any samples and leads.
        finish: What is done to the mean, a root for example.

    Shape:
        - tallies: (N, 2, T).
    """
    weight = exact_sum(tallies[:, WEIGHT])
    return finish(exact_sum(tallies[:, TOTAL]) / weight) if weight else math.nan


def bootstrap_interval(
    tallies: np.ndarray, finish: Callable[[float], float], *, resamples: int = 1000, seed: int = 0
) -> list[float] | None:
    """The 95 % interval of a score under redrawing of the samples.

    Says how far the score may move with another test set of this size, and nothing of another
    training seed.

    Args:
        tallies: Of all samples and leads.
        finish: What is done to a mean.
        resamples: How often a test set is redrawn.
        seed: Of the drawing, so that two runs on equal tallies agree.

    Shape:
        - tallies: (N, 2, T).

    Returns:
        Its lower and upper end; None for fewer than two samples or a score that is not finite.
    """
    if len(tallies) < 2 or not np.isfinite(tallies).all():
        return None
    pooled = tallies.sum(axis=2)  # (N, 2)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        total, weight = pooled[rng.integers(len(pooled), size=len(pooled))].sum(axis=0)
        if weight:  # a redrawn set may hold nothing but gaps
            drawn.append(finish(float(total / weight)))
    return [float(end) for end in np.quantile(drawn, (0.025, 0.975))] if drawn else None
