"""Plot the error of models and baselines against the lead."""

from collections.abc import Sequence

import numpy as np

from openstl_ext.results.horizons import Curve, HorizonPlot
from openstl_ext.visualization.chart import MOST_TICKS, Chart, Line, draw_charts, known

TICK_LETTERS = 92
"""Letters that fit side by side below the axis."""


def draw_error_curves(plots: Sequence[HorizonPlot]) -> bytes:
    """Draw plots side by side as a PNG; equal plots give equal bytes.

    Plots of one unit share the axis of the score, so that their heights compare. Bands are those
    of the curves, or one sample standard deviation over seeds. A lead without a score interrupts
    its line.
    """
    one_scale = len({(plot.metric, plot.unit) for plot in plots}) == 1
    several = len({plot.fingerprint for plot in plots}) > 1
    charts = [_chart(plot, several=several) for plot in plots]
    return draw_charts(charts, one_scale=one_scale)


def _chart(plot: HorizonPlot, *, several: bool) -> Chart:
    values = [mean for curve in plot.curves for mean in curve.means if mean is not None]
    unit = "" if plot.unit in ("", "1") else f" ({plot.unit})"
    better = {True: ", higher is better", False: ", lower is better", None: ""}
    few = len(plot.ahead) <= MOST_TICKS
    counted = bool(plot.num_valid) and few
    label = f"lead ({plot.time_unit})" if plot.time_unit != "frame" else "lead (frames)"
    return Chart(
        title=plot.title,
        note=f"protocol {plot.fingerprint}" if several else "",
        lines=tuple(_line(plot, curve) for curve in plot.curves),
        x_label=label + ("; valid pixels below" if counted else ""),
        y_label=f"{plot.metric}{unit}{better[plot.higher_is_better]}",
        ticks=tuple(zip(plot.ahead, _names(plot, counted=counted), strict=True)) if few else None,
        # another origin makes small differences look large
        from_zero=min(values) >= 0 and plot.higher_is_better is False,
        whole=True,
    )


def _line(plot: HorizonPlot, curve: Curve) -> Line:
    """Return a curve with its band."""
    means, spreads = np.array(known(curve.means)), np.array(known(curve.spreads))
    low, high = means - np.nan_to_num(spreads), means + np.nan_to_num(spreads)
    has_band = bool(np.nan_to_num(spreads).any())
    if curve.intervals:
        ends = [(None, None) if pair is None else pair for pair in curve.intervals]
        low, high = np.array([known(pair) for pair in ends]).T
        has_band = bool(np.isfinite(low).any())
    return Line(
        name=curve.name + (f" ({curve.num_runs} seeds)" if curve.num_runs > 1 else ""),
        x=plot.ahead,
        y=means.tolist(),
        low=low.tolist() if has_band else (),
        high=high.tolist() if has_band else (),
        kind="baseline" if curve.is_baseline else "method",
    )


def _names(plot: HorizonPlot, *, counted: bool) -> list[str]:
    """Return the names of the leads, with their numbers of valid pixels."""
    names = [f"{ahead:g}" for ahead in plot.ahead]
    if not counted:
        return names
    counts = [f"{number:,}" for number in plot.num_valid]
    if sum(map(len, counts)) + 5 * len(counts) > TICK_LETTERS:
        counts = [_short(number) for number in plot.num_valid]
    return [f"{name}\n{number} px" for name, number in zip(names, counts, strict=True)]


def _short(number: int) -> str:
    """Return a number with three digits, as in ``4.12M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)
