"""Charts of lines side by side, each with its legend below."""

import io
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from openstl_ext.errors import printable
from openstl_ext.visualization.style import (
    COLORS,
    DASHES,
    DPI,
    FAINT,
    FONT,
    INK,
    LINE,
    MARKERS,
    NAME,
    SMALL,
    TEXT,
    TITLE,
)

MOST_TICKS = 8
MOST_MARKERS = 40
"""Points of a line beyond which it has no markers."""
LETTERS = {1: 78, 2: 36}
"""Letters per line of a legend entry, which has three lines at most, by number of columns."""
TITLE_LETTERS = 58
WIDTH, HEIGHT = 6.2, 4.2
"""Inches of a chart without its legend."""

Kind = Literal["method", "baseline", "truth", "ideal"]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a chart.

    Args:
        name: Its name in the legend.
        x: Places, one per point.
        y: Values; NaN interrupts the line.
        low: Lower ends of a band around the line; none without.
        high: Upper ends of the band.
        kind: What it shows: methods have colours, baselines are grey and dashed, the truth is
            black, and an ideal is a thin line that no method need follow.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    kind: Kind = "method"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over one pair of axes.

    Args:
        title: First line, at the left.
        lines: The lines, in the order of the legend.
        x_label: Name of the horizontal axis.
        y_label: Name of the vertical axis.
        note: Words at the right above the axes; empty for none.
        ticks: Places and names on the horizontal axis; None for round numbers.
        limits: Ends of both axes; None for those of the lines.
        from_zero: Whether the vertical axis starts at zero.
        log: Axes with a logarithmic scale.
        whole: Whether the horizontal axis has whole numbers only.
        lowest: Lower end of the vertical axis; None for that of the lines.
    """

    title: str
    lines: tuple[Line, ...]
    x_label: str
    y_label: str
    note: str = ""
    ticks: tuple[tuple[float, str], ...] | None = None
    limits: tuple[float, float] | None = None
    from_zero: bool = False
    log: Literal["", "x", "y", "xy"] = ""
    whole: bool = False
    lowest: float | None = None


def draw_charts(charts: Sequence[Chart], *, one_scale: bool = False) -> bytes:
    """Draw charts side by side as a PNG; equal charts give equal bytes.

    Args:
        charts: The charts.
        one_scale: Whether they share the vertical axis, so that their heights compare.
    """
    legends = max(_legend_height(chart) for chart in charts)
    figure = Figure(
        figsize=(WIDTH * len(charts), HEIGHT + legends),
        dpi=DPI,
        facecolor="white",
        layout="constrained",
    )
    grid = figure.add_gridspec(2, len(charts), height_ratios=(HEIGHT, legends))
    first: Any = None
    for column, chart in enumerate(charts):
        axes: Any = figure.add_subplot(grid[0, column], sharey=first if one_scale else None)
        first = first or axes
        lines = _draw(axes, chart)
        write_title(axes, chart.title, chart.note, narrow=len(charts) > 1)
        below = figure.add_subplot(grid[1, column])  # a place of its own, where it covers nothing
        below.set_axis_off()
        _legend(below, chart, lines)
    return png_of(figure)


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG, with its texts as they are; equal figures give equal bytes."""
    for written in figure.findobj(Text):
        written.set(parse_math=False, text=printable(written.get_text()))
    out = io.BytesIO()
    # without the version of matplotlib, so that an update changes no picture
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def write_title(axes: Any, title: str, note: str = "", *, narrow: bool = False) -> None:
    """Write a title above the left end of axes, and a note above their right end."""
    letters = TITLE_LETTERS - (20 if narrow else 0)
    words = textwrap.fill(title, letters, max_lines=3, placeholder=" ...")
    about: dict[str, Any] = {"color": INK, "family": FONT, "loc": "left"}
    axes.set_title(words, fontsize=TITLE, fontweight="bold", **about)
    if note:
        axes.set_title(note, fontsize=SMALL, color=FAINT, family=FONT, loc="right")


def style_axes(axes: Any, x_label: str, y_label: str) -> None:
    """Name axes, and draw them with thin lines, without a box."""
    axes.set_xlabel(x_label, fontsize=NAME, color=INK, family=FONT)
    axes.set_ylabel(y_label, fontsize=NAME, color=INK, family=FONT)
    axes.grid(axis="y", color=LINE, linewidth=0.5, alpha=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=LINE, linewidth=0.8)
    axes.tick_params(which="both", labelsize=SMALL, length=3, width=0.6, color=LINE)
    axes.tick_params(labelcolor=INK)
    for tick in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        tick.set_fontfamily(FONT)


def _draw(axes: Any, chart: Chart) -> list[Any]:
    """Draw the lines of one chart, and return them."""
    numbers = {kind: count() for kind in ("method", "baseline", "truth", "ideal")}
    lines = [_line(axes, line, next(numbers[line.kind])) for line in chart.lines]
    if "x" in chart.log:
        axes.set_xscale("log")
    if "y" in chart.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=9))
        axes.yaxis.set_minor_formatter(NullFormatter())
    # plain digits, because the powers of ten of matplotlib are formulas
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    if chart.lowest is not None:
        axes.set_ylim(bottom=chart.lowest)
    if chart.limits is not None:
        axes.set(xlim=chart.limits, ylim=chart.limits, box_aspect=1)
    elif chart.from_zero:
        axes.set_ylim(bottom=0)
    if chart.ticks is not None:
        axes.set_xticks([at for at, _ in chart.ticks], [name for _, name in chart.ticks])
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif "x" not in chart.log:
        axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS, integer=chart.whole))
    style_axes(axes, chart.x_label, chart.y_label)
    return lines


def _line(axes: Any, line: Line, number: int) -> Any:
    """Draw one line with its band, and return it."""
    style = _look(line.kind, number)
    if len(line.x) > MOST_MARKERS:
        style |= {"marker": "", "linewidth": min(1.4, style["linewidth"])}
    (drawn,) = axes.plot(line.x, line.y, **style)
    if len(line.low):
        band = {"color": style["color"], "alpha": 0.18, "linewidth": 0}
        axes.fill_between(line.x, line.low, line.high, **band)
    return drawn


def _look(kind: Kind, number: int) -> dict[str, Any]:
    """Return colour, dashes and marker of a line."""
    if kind == "ideal":
        return {"color": LINE, "linewidth": 1.0, "zorder": 1}
    if kind == "truth":
        return {"color": INK, "linewidth": 2.2, "zorder": 2}
    if kind == "baseline":
        dashes = DASHES[number % len(DASHES)]
        about = {"marker": "o", "markersize": 3, "linewidth": 1.2}
        return {"color": FAINT, "linestyle": dashes, **about}
    about = {"marker": MARKERS[number % len(MARKERS)], "markersize": 5, "linewidth": 1.8}
    dashed = number >= len(COLORS)
    color = COLORS[number % len(COLORS)]
    return {"color": color, "linestyle": "--" if dashed else "-", "zorder": 3, **about}


def _legend(axes: Any, chart: Chart, lines: Sequence[Any]) -> None:
    """Draw the legend into axes of its own."""
    axes.legend(
        lines,
        _names(chart),
        loc="upper left",
        ncols=_columns(chart),
        frameon=False,
        handlelength=3.2,
        borderaxespad=0,
        labelcolor=INK,
        prop={"family": FONT, "size": TEXT},
    )


def _columns(chart: Chart) -> int:
    """Return two columns for many short names."""
    longest = max(len(line.name) for line in chart.lines)
    return 2 if len(chart.lines) > 3 and longest <= LETTERS[2] else 1


def _names(chart: Chart) -> list[str]:
    letters = LETTERS[_columns(chart)]
    return [
        textwrap.fill(line.name, letters, max_lines=3, placeholder=" ...") for line in chart.lines
    ]


def _legend_height(chart: Chart) -> float:
    """Return the height of the legend in inches."""
    heights = [0.06 + 0.135 * (name.count("\n") + 1) for name in _names(chart)]
    return 0.12 + sum(heights) * math.ceil(len(heights) / _columns(chart)) / len(heights)


def known(values: Sequence[float | None]) -> list[float]:
    """Return values with NaN for those that do not exist."""
    return [math.nan if value is None else float(value) for value in values]
