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
LETTERS = {1: 78, 2: 36}
"""Letters per line of a legend entry, which has three lines at most, by number of columns."""
TITLE_LETTERS = 58
WIDTH, HEIGHT = 6.2, 4.2
"""Inches of a plot without its legend."""
TICK_LETTERS = 92
"""Letters that fit side by side below the axis."""


def draw_error_curves(plots: Sequence[HorizonPlot]) -> bytes:
    """Draw plots side by side as a PNG; equal plots give equal bytes.

    Plots of one unit share the axis of the score, so that their heights compare. Shades are one
    sample standard deviation over seeds. A lead without a score interrupts its line.
    """
    legends = max(_legend_height(plot) for plot in plots)
    figure = Figure(
        figsize=(WIDTH * len(plots), HEIGHT + legends),
        dpi=DPI,
        facecolor="white",
        layout="constrained",
    )
    canvas = FigureCanvasAgg(figure)
    one_unit = len({plot.unit for plot in plots}) == 1
    grid = figure.add_gridspec(2, len(plots), height_ratios=(HEIGHT, legends))
    first: Any = None
    for column, plot in enumerate(plots):
        axes: Any = figure.add_subplot(grid[0, column], sharey=first if one_unit else None)
        first = first or axes
        lines = _draw(axes, plot)
        letters = TITLE_LETTERS - (20 if len(plots) > 1 else 0)
        title = textwrap.fill(plot.title, letters, max_lines=3, placeholder=" ...")
        axes.set_title(title, **TITLE)
        if len(plots) > 1:
            words: dict[str, Any] = {"fontsize": 7, "color": FAINT, "family": FONT, "loc": "right"}
            axes.set_title(f"protocol {plot.fingerprint}", **words)
        below = figure.add_subplot(grid[1, column])  # a place of its own, where it covers nothing
        below.set_axis_off()
        _legend(below, plot, lines)
    for written in figure.findobj(Text):
        written.set(parse_math=False, text=printable(written.get_text()))
    out = io.BytesIO()
    # without the version of matplotlib, so that an update changes no figure
    canvas.print_png(out, metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Any, plot: HorizonPlot) -> list[Any]:
    """Draw the curves of one protocol, and return their lines."""
    models, baselines = count(), count()
    lines = [
        _line(axes, plot, curve, next(baselines if curve.is_baseline else models))
        for curve in plot.curves
    ]
    known = [mean for curve in plot.curves for mean in curve.means if mean is not None]
    if min(known) >= 0 and plot.higher_is_better is False:
        axes.set_ylim(bottom=0)  # another origin makes small differences look large
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
    return lines


TITLE: dict[str, Any] = {
    "fontsize": 10,
    "fontweight": "bold",
    "color": INK,
    "family": FONT,
    "loc": "left",
}


def _legend(axes: Any, plot: HorizonPlot, lines: Sequence[Any]) -> None:
    """Draw the legend into axes of its own."""
    axes.legend(
        lines,
        _names(plot),
        loc="upper left",
        ncols=_columns(plot),
        frameon=False,
        handlelength=3.2,
        borderaxespad=0,
        labelcolor=INK,
        prop={"family": FONT, "size": 7.5},
    )


def _columns(plot: HorizonPlot) -> int:
    """Return two columns for many short names."""
    longest = max(len(_name(curve)) for curve in plot.curves)
    return 2 if len(plot.curves) > 3 and longest <= LETTERS[2] else 1


def _names(plot: HorizonPlot) -> list[str]:
    letters = LETTERS[_columns(plot)]
    return [
        textwrap.fill(_name(curve), letters, max_lines=3, placeholder=" ...")
        for curve in plot.curves
    ]


def _name(curve: Curve) -> str:
    return curve.name + (f" ({curve.num_runs} seeds)" if curve.num_runs > 1 else "")


def _legend_height(plot: HorizonPlot) -> float:
    """Return the height of the legend in inches."""
    heights = [0.06 + 0.135 * (name.count("\n") + 1) for name in _names(plot)]
    columns = _columns(plot)
    return 0.12 + sum(heights) * math.ceil(len(heights) / columns) / len(heights)


def _line(axes: Any, plot: HorizonPlot, curve: Curve, number: int) -> Any:
    """Draw one curve, with its spread over seeds, and return its line."""
    means = np.array([math.nan if mean is None else mean for mean in curve.means])
    if curve.is_baseline:
        style: dict[str, Any] = {"color": FAINT, "linestyle": DASHES[number % len(DASHES)]}
        style |= {"marker": "o", "markersize": 3, "linewidth": 1.2}
    else:
        style = {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
        style |= {"markersize": 5, "linewidth": 1.8, "zorder": 3}
        style |= {"linestyle": "-" if number < len(COLORS) else "--"}
    (line,) = axes.plot(plot.ahead, means, **style)
    spreads = np.array([0.0 if spread is None else spread for spread in curve.spreads])
    if spreads.any():
        ends = means - spreads, means + spreads
        axes.fill_between(plot.ahead, *ends, color=style["color"], alpha=0.18, linewidth=0)
    return line


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
            counts = [f"{number:,}" for number in plot.num_valid]
            if sum(map(len, counts)) + 5 * len(counts) > TICK_LETTERS:
                counts = [_short(number) for number in plot.num_valid]
            names = [f"{n}\n{v} px" for n, v in zip(names, counts, strict=True)]
        axes.set_xticks(plot.ahead, names)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.tick_params(labelsize=7, length=3, width=0.6, color=LINE, labelcolor=INK)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontfamily(FONT)


def _short(number: int) -> str:
    """Return a number with three digits, as in ``4.12M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return str(number)
