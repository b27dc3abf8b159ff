"""Plot the error of models and baselines against the lead."""

import io
import math
import textwrap
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from openstl_ext.errors import printable
from openstl_ext.results.horizons import Curve, HorizonPlot
from openstl_ext.visualization.page import DPI, FAINT, FONT, INK, LINE

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Colours of the recipes, distinct for colour-blind readers (Okabe and Ito)."""
MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ((0, (5, 2)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.2, 1.5)))
"""Dashes of the baselines, which are grey."""
MOST_TICKS = 8
LETTERS = 56
"""Letters per line of a legend entry, which has three lines at most."""


def draw_error_curves(plots: Sequence[HorizonPlot]) -> bytes:
    """Draw plots side by side as a PNG; equal plots give equal bytes.

    Plots of one unit share the axis of the score, so that their heights compare. Shades are one
    sample standard deviation over seeds. A lead without a score interrupts its line.
    """
    width = 6.2 * len(plots)
    height = 4.2 + 0.15 * max(len(plot.curves) for plot in plots)  # legends are below the axes
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    one_unit = len({plot.unit for plot in plots}) == 1
    places: Any = figure.subplots(1, len(plots), squeeze=False, sharey=one_unit)[0]
    for axes, plot in zip(places, plots, strict=True):
        _draw(axes, plot)
        if len(plots) > 1:
            words = {"fontsize": 7, "color": FAINT, "family": FONT, "loc": "right"}
            axes.set_title(f"protocol {plot.fingerprint}", **words)
    for written in figure.findobj(Text):
        written.set(parse_math=False, text=printable(written.get_text()))
    out = io.BytesIO()
    # without the version of matplotlib, so that an update changes no figure
    canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Any, plot: HorizonPlot) -> None:
    """Draw the curves of one protocol."""
    models, baselines = count(), count()
    for curve in plot.curves:
        _line(axes, plot, curve, next(baselines if curve.is_baseline else models))
    known = [mean for curve in plot.curves for mean in curve.means if mean is not None]
    if min(known) >= 0 and plot.higher_is_better is False:
        axes.set_ylim(bottom=0)  # another origin makes small differences look large
    axes.set_title(plot.title, fontsize=10, fontweight="bold", color=INK, family=FONT, loc="left")
    unit = "" if plot.unit in ("", "1") else f" ({plot.unit})"
    better = {True: ", higher is better", False: ", lower is better", None: ""}
    axes.set_ylabel(
        f"{plot.metric}{unit}{better[plot.higher_is_better]}", fontsize=8, color=INK, family=FONT
    )
    _ticks(axes, plot)
    axes.grid(axis="y", color=LINE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=LINE, linewidth=0.8)
    axes.legend(  # below the axes, where it covers no line
        loc="upper center",
        bbox_to_anchor=(0.5, -0.24),
        ncols=2 if len(plot.curves) > 3 else 1,
        frameon=False,
        handlelength=3.2,
        labelcolor=INK,
        prop={"family": FONT, "size": 7.5},
    )


def _line(axes: Any, plot: HorizonPlot, curve: Curve, number: int) -> None:
    """Draw one curve, with its spread over seeds."""
    means = np.array([math.nan if mean is None else mean for mean in curve.means])
    if curve.is_baseline:
        style: dict[str, Any] = {"color": FAINT, "linestyle": DASHES[number % len(DASHES)]}
        style |= {"marker": "o", "markersize": 3, "linewidth": 1.2}
    else:
        style = {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
        style |= {"markersize": 5, "linewidth": 1.8, "zorder": 3}
        style |= {"linestyle": "-" if number < len(COLORS) else "--"}
    seeds = f" ({curve.num_runs} seeds)" if curve.num_runs > 1 else ""
    name = textwrap.fill(curve.name + seeds, LETTERS, max_lines=3, placeholder=" ...")
    axes.plot(plot.ahead, means, label=name, **style)
    spreads = np.array([0.0 if spread is None else spread for spread in curve.spreads])
    if spreads.any():
        ends = means - spreads, means + spreads
        axes.fill_between(plot.ahead, *ends, color=style["color"], alpha=0.18, linewidth=0)


def _ticks(axes: Any, plot: HorizonPlot) -> None:
    """Label the axes with leads and numbers of valid pixels."""
    few = len(plot.ahead) <= MOST_TICKS
    counted = bool(plot.num_valid) and few
    label = f"lead ({plot.time_unit})" if plot.time_unit != "frame" else "lead (frames)"
    axes.set_xlabel(
        label + ("; valid pixels below" if counted else ""), fontsize=8, color=INK, family=FONT
    )
    if few:
        names = [f"{ahead:g}" for ahead in plot.ahead]
        if counted:
            names = [f"{n}\n{v:,} px" for n, v in zip(names, plot.num_valid, strict=True)]
        axes.set_xticks(plot.ahead, names)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.tick_params(labelsize=7, length=3, width=0.6, color=LINE, labelcolor=INK)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontfamily(FONT)
