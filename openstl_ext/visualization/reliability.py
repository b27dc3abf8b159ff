"""Reliability of quantiles: how often the truth is below each, against how often it should be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.visualization.chart import Chart, Line, draw_charts

RESAMPLES = 1000


@dataclass(frozen=True)
class Reliability:
    """Observed frequencies of one method.

    Args:
        name: The method.
        levels: Nominal levels, (Q,).
        observed: Share of known pixels whose truth is at most the quantile, (Q,).
        interval: 95 % interval of ``observed`` under resampling of the samples, (2, Q).
        num_pixels: Known pixels.
    """

    name: str
    levels: tuple[float, ...]
    observed: NDArray[np.float64]
    interval: NDArray[np.float64]
    num_pixels: int

    @property
    def coverage(self) -> str:
        """Coverage of the widest interval in words; empty for fewer than two levels."""
        if len(self.levels) < 2:
            return ""
        nominal = self.levels[-1] - self.levels[0]
        share = self.observed[-1] - self.observed[0]
        return f"{100 * nominal:.3g} % interval covers {100 * share:.1f} %"


def reliability_of(
    name: str,
    levels: Sequence[float],
    samples: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> Reliability:
    """Count how often the truth is at most each quantile.

    Args:
        name: Name of the method.
        levels: Level of each quantile.
        samples: Truth (...) and quantiles (Q, ...) of each sample; NaN where there are no data.

    Raises:
        DataError: If the number of quantiles is not that of the levels, levels are not ascending
            between 0 and 1, or no pixel is known.
    """
    ascending = list(levels) == sorted(set(levels))
    if not levels or not ascending or levels[0] <= 0 or levels[-1] >= 1:
        raise DataError(f"{name}: the levels {list(levels)} do not ascend between 0 and 1")
    below, known = [], []
    for truth, quantiles in samples:
        if quantiles.shape != (len(levels), *truth.shape):
            raise DataError(
                f"{name}: quantiles of shape {quantiles.shape} do not fit {len(levels)} levels and "
                f"a truth of shape {truth.shape}"
            )
        valid = np.isfinite(truth) & np.isfinite(quantiles).all(axis=0)
        below.append([int((truth <= q)[valid].sum()) for q in quantiles])
        known.append(int(valid.sum()))
    counts, totals = np.array(below, float).reshape(-1, len(levels)), np.array(known, float)
    if not totals.sum():
        raise DataError(f"{name}: no pixel of the truth is known")
    drawn = np.random.default_rng(0).multinomial(
        len(totals), np.full(len(totals), 1 / len(totals)), RESAMPLES
    )
    with np.errstate(invalid="ignore"):
        shares = (drawn @ counts) / (drawn @ totals)[:, None]
    return Reliability(
        name=name,
        levels=tuple(levels),
        observed=counts.sum(axis=0) / totals.sum(),
        interval=np.nanpercentile(shares, (2.5, 97.5), axis=0),
        num_pixels=int(totals.sum()),
    )


def draw_reliability(methods: Sequence[Reliability], *, title: str, note: str = "") -> bytes:
    """Draw observed against nominal frequencies as a PNG; a calibrated method is on the diagonal.

    Bands are 95 % intervals under resampling of the samples.
    """
    ideal = Line(name="calibrated", x=(0, 1), y=(0, 1), kind="ideal")
    lines = [
        Line(
            name=f"{m.name}: {m.coverage}" if m.coverage else m.name,
            x=m.levels,
            y=m.observed.tolist(),
            low=m.interval[0].tolist(),
            high=m.interval[1].tolist(),
        )
        for m in methods
    ]
    chart = Chart(
        title=title,
        note=note,
        lines=(ideal, *lines),
        x_label="level of the quantile",
        y_label="share of pixels with a truth at most the quantile",
        limits=(0, 1),
        ticks=tuple((k / 5, f"{k / 5:g}") for k in range(6)),
    )
    return draw_charts([chart])
