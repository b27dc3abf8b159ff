"""Rank histograms: the place of the truth among the members of an ensemble."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.visualization.chart import HEIGHT, WIDTH, png_of, style_axes, write_title
from openstl_ext.visualization.style import COLORS, DPI, FAINT, INK

RESAMPLES = 1000


@dataclass(frozen=True)
class RankHistogram:
    """Relative frequencies of the ranks of one method.

    Args:
        name: The method.
        frequency: Frequency of each rank over that of equal frequencies, (E + 1,).
        interval: 95 % interval under resampling of the samples, (2, E + 1).
        num_pixels: Known pixels.
    """

    name: str
    frequency: NDArray[np.float64]
    interval: NDArray[np.float64]
    num_pixels: int

    @property
    def num_members(self) -> int:
        """Number of members."""
        return len(self.frequency) - 1


def rank_counts(truth: NDArray[Any], members: NDArray[Any]) -> NDArray[np.float64]:
    """Count how many members are below the truth.

    A truth that equals m members counts for m + 1 ranks in equal parts, so that ties of many zeros
    favour no rank.

    Shape:
        - truth: (...), NaN where unknown; members: (E, ...); returns: (E + 1,).
    """
    known = np.isfinite(truth) & np.isfinite(members).all(axis=0)
    below = (members < truth).sum(axis=0)[known]
    equal = (members == truth).sum(axis=0)[known]
    counts = np.zeros(len(members) + 1)
    for ties in np.unique(equal):
        first = np.bincount(below[equal == ties], minlength=len(counts))
        for more in range(ties + 1):
            counts[more:] += first[: len(counts) - more] / (ties + 1)
    return counts


def rank_histogram(
    name: str, samples: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> RankHistogram:
    """Count the ranks of the truth among the members of all samples.

    Args:
        name: Name of the method.
        samples: Truth (...) and members (E, ...) of each sample; NaN where there are no data.

    Raises:
        DataError: If there are fewer than two members, shapes do not fit, samples have other
            numbers of members, or no pixel is known.
    """
    counts = []
    for truth, members in samples:
        if members.shape[1:] != truth.shape:
            raise DataError(
                f"{name}: members of shape {members.shape} do not fit a truth of {truth.shape}"
            )
        counts.append(rank_counts(truth, members))
    if len({len(each) for each in counts}) > 1:
        raise DataError(f"{name}: the samples have other numbers of members; test again")
    of_sample = np.array(counts)
    if of_sample.size and of_sample.shape[1] < 3:
        raise DataError(f"{name}: an ensemble of one member has no ranks; it needs two")
    if not of_sample.sum():
        raise DataError(f"{name}: no pixel of the truth is known")
    number = len(of_sample)
    drawn = np.random.default_rng(0).multinomial(number, np.full(number, 1 / number), RESAMPLES)
    with np.errstate(invalid="ignore"):
        frequency, sets = (_frequency(sums) for sums in (of_sample.sum(axis=0), drawn @ of_sample))
    return RankHistogram(
        name=name,
        frequency=frequency,
        interval=np.nanpercentile(sets, (2.5, 97.5), axis=0),
        num_pixels=round(of_sample.sum()),
    )


def draw_rank_histograms(methods: Sequence[RankHistogram], *, note: str = "") -> bytes:
    """Draw a histogram for each method side by side, as a PNG.

    At 1 all ranks are equally frequent, as of a calibrated ensemble. A U is an ensemble that is too
    narrow, a hill one that is too wide, a slope a bias. Bars have 95 % intervals.
    """
    figure = Figure(
        figsize=(WIDTH * len(methods), HEIGHT), dpi=DPI, facecolor="white", layout="constrained"
    )
    first: Any = None
    for number, method in enumerate(methods):
        axes: Any = figure.add_subplot(1, len(methods), number + 1, sharey=first)
        first = first or axes
        ranks = np.arange(len(method.frequency))
        ends = np.abs(method.interval - method.frequency)
        color = COLORS[number % len(COLORS)]
        axes.bar(ranks, method.frequency, width=0.86, color=color, zorder=2)
        whisker: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 0.8, "zorder": 3}
        axes.errorbar(ranks, method.frequency, yerr=ends, **whisker)
        axes.axhline(1, color=FAINT, linewidth=1.0, linestyle=(0, (5, 2)), zorder=4)
        axes.xaxis.set_major_locator(MaxNLocator(12, integer=True))
        words = f"{method.num_members} members; {note}" if note else f"{method.num_members} members"
        write_title(axes, method.name, words, narrow=len(methods) > 1)
        label = "frequency of the rank (1: all ranks alike)"
        style_axes(axes, "members below the truth", label)
    first.set_ylim(bottom=0)  # at the end: the scale that all share grows no more
    return png_of(figure)


def _frequency(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts (..., E + 1) relative to equal counts."""
    frequency: NDArray[np.float64] = counts / counts.mean(axis=-1, keepdims=True)
    return frequency
