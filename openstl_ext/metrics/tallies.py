"""A few numbers a sample, and the arithmetic that turns them into one score."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError

TOTAL, WEIGHT = 0, 1
"""Places on the second axis of an array of tallies, which is (N, S, T)."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a metric keeps of one sample.

    Args:
        total: What is summed, one number a column: a lead, or a class.
        weight: What the sum is divided by, one number a column; 0 where there was nothing to
            judge.
        more: Further sums, for a score that is no quotient of two.

    Shape:
        - total, weight, each of more: (T,).
    """

    total: Tensor
    weight: Tensor
    more: tuple[Tensor, ...] = ()


def merge_shards(shards: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Put the tallies of all ranks into the order of the dataset.

    Rank r of W judges samples r, r + W, r + 2W ... A rank that has more or fewer would count a
    sample twice or never, and no later step could tell.

    Args:
        shards: The tallies of each rank, in the order in which it saw its samples.
        size: Number of samples in the dataset.

    Shape:
        - each shard: (n, S, T); returns: (size, S, T).

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
    shapes = sorted({shard.shape[1:] for shard in shards if len(shard)})
    if len(shapes) > 1:
        lengths = [length for _, length in shapes]
        raise ShapeError(f"all samples need the same number of leads, got {lengths}")
    merged = np.empty((size, *(shapes[0] if shapes else (2, 0))))
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


def exact_sums(tallies: np.ndarray) -> np.ndarray:
    """Sum over samples without rounding on the way, (N, S, T) to (S, T)."""
    flat = tallies.reshape(len(tallies), tallies.shape[1] * tallies.shape[2])
    sums = [exact_sum(column) for column in flat.T]
    return np.array(sums, dtype=float).reshape(tallies.shape[1:])


def bootstrap_interval(
    tallies: np.ndarray,
    score: Callable[[np.ndarray], float],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> list[float] | None:
    """The 95 % interval of a score under redrawing of the samples.

    Says how far the score may move with another test set of this size, and nothing of another
    training seed.

    Args:
        tallies: Of all samples and columns.
        score: What is made of sums (S, T); NaN where there is nothing to judge.
        resamples: How often a test set is redrawn.
        seed: Of the drawing, so that two runs on equal tallies agree.

    Shape:
        - tallies: (N, S, T).

    Returns:
        Its lower and upper end; None for fewer than two samples or a score that is not finite.
    """
    size = len(tallies)
    if size < 2 or not np.isfinite(tallies).all():
        return None
    flat = tallies.reshape(size, -1)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(size, size=size), minlength=size).astype(float)
        found = score((times @ flat).reshape(tallies.shape[1:]))
        if not math.isnan(found):  # a redrawn set may hold nothing but gaps
            drawn.append(found)
    return [float(end) for end in np.quantile(drawn, (0.025, 0.975))] if drawn else None
