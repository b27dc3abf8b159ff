"""Tallies of samples, and the exact arithmetic that turns them into scores."""

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError

TOTAL, WEIGHT = 0, 1
"""Positions on the second axis of an array of tallies, which is (N, S, ...)."""
ROWS = 1024
"""Samples per array of a ``TallyBuffer``."""

Pooling = Callable[[np.ndarray | None], np.ndarray]
"""Function from how often each sample counts, (N,), to sums (S, ...). None counts each once, and
rounds nothing before the result, which is therefore equal for any order of the samples."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Numbers that a metric keeps of one sample.

    Args:
        total: Sum of the measured quantity, one number per entry of the metric's axes.
        weight: Divisor of the sum; 0 where nothing was measured.
        more: Further sums, for a score that is not a quotient of two.

    Shape:
        - total, weight, each of more: (T,) leads, (T, C) leads and channels, or (K,) classes.
    """

    total: Tensor
    weight: Tensor
    more: tuple[Tensor, ...] = ()


class TallyBuffer:
    """Tallies of the samples measured so far.

    A field that is equal in all samples, such as the weight of frames without gaps, is stored once.
    The others are in arrays of ``ROWS`` samples: an array that grows would be copied again and
    again, and one for each batch would take three times the memory.
    """

    def __init__(self) -> None:
        self._size = 0
        self._shape: tuple[int, ...] = (2, 0)
        self._first = np.empty(0)
        self._fields: dict[int, list[np.ndarray]] = {}

    def append(self, tallies: np.ndarray) -> None:
        """Append the tallies of a batch.

        Shape:
            - tallies: (n, S, ...), float64.

        Raises:
            ShapeError: If they have other leads or channels than those before.
        """
        if not len(tallies):
            return
        shape = tallies.shape[1:]
        if self._size and shape != self._shape:
            raise unequal(self._shape, shape)
        if not self._size:
            self._shape, self._first = shape, tallies[0].copy()
        for index in range(shape[0]):
            field = tallies[:, index]
            if index not in self._fields and (field != self._first[index]).any():
                self._fields[index] = []
                self._store(index, 0, np.broadcast_to(self._first[index], (self._size, *shape[1:])))
            if index in self._fields:
                self._store(index, self._size, field)
        self._size += len(tallies)

    def _store(self, index: int, start: int, values: np.ndarray) -> None:
        """Store values (n, ...) of a field, of the samples from a number on."""
        arrays = self._fields[index]
        while len(values):
            place = start % ROWS
            if not place:
                arrays.append(np.empty((ROWS, *values.shape[1:])))
            part, values = values[: ROWS - place], values[ROWS - place :]
            arrays[-1][place : place + len(part)] = part
            start += len(part)

    def array(self) -> np.ndarray:
        """Return all tallies, (N, S, ...)."""
        whole = np.empty((self._size, *self._shape))
        if self._size:
            whole[:] = self._first
        for index, arrays in self._fields.items():
            for start, values in zip(range(0, self._size, ROWS), arrays, strict=True):
                whole[start : start + ROWS, index] = values[: self._size - start]
        return whole


def unequal(*shapes: tuple[int, ...]) -> ShapeError:
    """Return the error of tallies of several shapes."""
    return ShapeError(
        "all samples need the same number of leads and channels, got "
        f"{[shape[1:] for shape in shapes]}"
    )


def merge_shards(shards: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Put the tallies of all ranks into the order of the dataset.

    Rank r of W measures samples r, r + W, r + 2W ... If a rank has more or fewer, a sample would
    count twice or never, which no later step could detect.

    Args:
        shards: Tallies of each rank, in the order in which it received its samples.
        size: Number of samples in the dataset.

    Shape:
        - each shard: (n, S, ...); returns: (size, S, ...).

    Raises:
        ConfigError: Unless there is exactly one tally per sample.
        ShapeError: If samples differ in their number of leads or channels.
    """
    found = [len(shard) for shard in shards]
    expected = [len(range(rank, size, len(shards))) for rank in range(len(shards))]
    if found != expected:
        raise ConfigError(
            f"the ranks evaluated {found} samples instead of {expected}, so some of the {size} "
            "were counted twice or never; the loader's sampler must be a DefaultSampler with "
            "shuffle=False and round_up=False, and nothing may drop its last batch"
        )
    shapes = sorted({shard.shape[1:] for shard in shards if len(shard)})
    if len(shapes) > 1:
        raise unequal(*shapes)
    if len(shards) == 1:
        return shards[0]
    merged = np.empty((size, *(shapes[0] if shapes else (2, 0))))
    for rank, shard in enumerate(shards):
        if len(shard):
            merged[rank :: len(shards)] = shard
    return merged


def exact_sum(values: np.ndarray) -> float:
    """Sum without intermediate rounding, hence the same in any order; NaN and infinity pass."""
    flat = values.ravel().tolist()
    if not np.isfinite(values).all():
        return sum(flat)  # fsum refuses infinities of both signs
    return math.fsum(flat)


def exact_sums(tallies: np.ndarray) -> np.ndarray:
    """Sum over samples without intermediate rounding, (N, ...) to (...)."""
    flat = tallies.reshape(len(tallies), math.prod(tallies.shape[1:]))
    sums = [exact_sum(column) for column in flat.T]
    return np.array(sums, dtype=float).reshape(tallies.shape[1:])


def summing(tallies: np.ndarray) -> Pooling:
    """Return the pooling of tallies (N, S, ...) that adds them."""
    flat = tallies.reshape(len(tallies), math.prod(tallies.shape[1:]))

    def pooled(times: np.ndarray | None) -> np.ndarray:
        if times is None:
            return exact_sums(tallies)
        with np.errstate(invalid="ignore"):  # an entry that is not finite concerns no other
            return (times @ flat).reshape(tallies.shape[1:])

    return pooled


def bootstrap_intervals(
    tallies: np.ndarray,
    scores: Mapping[str, Callable[[np.ndarray], float]],
    *,
    pooling: Callable[[np.ndarray], Pooling] = summing,
    blocks: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, list[float] | None]:
    """Compute the 95 % interval of scores under resampling of the samples, by whole blocks.

    It describes how far a score may move with another test set of this size, not with another
    training seed.

    Args:
        tallies: Tallies of all samples.
        scores: Functions of sums (S, ...), by name; NaN where there is nothing to score.
        pooling: Makes the pooling of some tallies.
        blocks: Block of each sample; None for as many as samples.
        resamples: How often a test set is drawn.
        seed: Seed of the drawing, so that two runs on equal tallies agree.

    Shape:
        - tallies: (N, S, ...).

    Returns:
        Lower and upper end of each; None where fewer than two blocks have something to score,
        and for a score that is not finite.
    """
    members = members_of(blocks if blocks is not None else range(len(tallies)))
    size = int(members.max(initial=-1)) + 1
    if size < 2:
        return dict.fromkeys(scores)
    pooled = pooling(tallies)
    known = pooled(None)
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {n: [] for n, score in scores.items() if _finite(score, known)}
    for _ in range(resamples if drawn else 0):
        times = np.bincount(rng.integers(size, size=size), minlength=size).astype(float)
        sums = pooled(times[members])
        for name, values in drawn.items():
            value = scores[name](sums)
            if not math.isnan(value):  # a resampled set may have no valid pixel
                values.append(value)

    def alone() -> Iterator[np.ndarray]:
        return (tallies[members == block] for block in range(size))

    varied = {
        n: v
        for n, v in drawn.items()
        if v and (_varies(v) or _scores_two(scores[n], map(pooling, alone())))
    }
    ends = {n: np.quantile(v, (0.025, 0.975)).tolist() for n, v in varied.items()}
    return {name: ends.get(name) for name in scores}


def members_of(blocks: Iterable[Hashable]) -> NDArray[np.intp]:
    """Return the number of the block of each sample, counted from 0 in order of appearance."""
    numbers: dict[Hashable, int] = {}
    found = [numbers.setdefault(block, len(numbers)) for block in blocks]
    return np.array(found, dtype=np.intp)


def _finite(score: Callable[[np.ndarray], float], sums: np.ndarray) -> bool:
    return math.isfinite(score(sums))


def _varies(values: Sequence[float]) -> bool:
    """Return whether values differ by more than rounding."""
    return not math.isclose(min(values), max(values), rel_tol=1e-12)


def _scores_two(score: Callable[[np.ndarray], float], singles: Iterable[Pooling]) -> bool:
    """Return whether at least two samples have something to score; one alone has no spread."""
    scored = (True for pooled in singles if not math.isnan(score(pooled(None))))
    return sum(itertools.islice(scored, 2)) == 2
