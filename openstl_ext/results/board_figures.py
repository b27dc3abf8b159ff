"""Figures of a board as inline SVG: scores by lead, and scores against the size of the net."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from openstl_ext.errors import printable
from openstl_ext.results.cells import with_prefix
from openstl_ext.results.horizons import leads_of
from openstl_ext.results.row import Row
from openstl_ext.results.score import score
from openstl_ext.results.table import Table, higher_is_better

MOST_CURVES, MOST_POINTS = 8, 400
WIDTH, HEIGHT = 420, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 34


@dataclass(frozen=True)
class Figure:
    """An SVG with its caption and legend.

    Args:
        svg: The element.
        caption: What it shows.
        legend: Names of the curves, in the order of the colours.
    """

    svg: str
    caption: str
    legend: tuple[str, ...] = ()


def lead_curves(table: Table, metric: str) -> Figure | None:
    """Draw the mean score of each lead, with a band of one standard deviation over seeds.

    The best recipes by this score and the baselines are shown, at most ``MOST_CURVES``.

    Args:
        table: Table of the rows.
        metric: Column to draw; its scores have the names ``metric@1``, ``metric@2`` ...

    Returns:
        The figure; None if no row has two leads.
    """
    leads = leads_of(table, metric)
    if len(leads) < 2:
        return None
    curves: list[tuple[Row, list[tuple[int, float, float]]]] = []
    for row in sorted(_drawn(table, metric), key=lambda r: r.is_baseline):
        found = []
        for lead in leads:
            value = score(scores.get(f"{metric}@{lead}") for scores in row.values)
            if value.mean is not None:
                spread = 0.0 if row.is_baseline else value.std or 0.0
                found.append((lead, value.mean, spread))
        if len(found) > 1:
            curves.append((row, found))
    recipes = [curve for curve in curves if not curve[0].is_baseline]
    baselines = curves[len(recipes) :][: MOST_CURVES - 1]
    curves = recipes[: MOST_CURVES - len(baselines)] + baselines
    if not curves:
        return None
    places = {id(row): place for place, row in enumerate(table.rows)}
    curves.sort(key=lambda curve: (curve[0].is_baseline, places[id(curve[0])]))  # equal colours
    labels = [table.label_of(row) for row, _ in curves]
    ends = [m + s for _, c in curves for _, m, d in c for s in (-d, d)]
    axes = _Axes(leads[0], leads[-1], *_nice(min(ends), max(ends)))
    parts = [axes.frame("lead")]
    for k, (row, points) in enumerate(curves):
        if any(d for *_, d in points):
            above = [(x, m + d) for x, m, d in points]
            below = [(x, m - d) for x, m, d in reversed(points)]
            parts.append(f'<polygon class="b c{k}" points="{axes.path(above + below)}"/>')
        kind = "l d" if row.is_baseline else "l"
        line = axes.path([(x, m) for x, m, _ in points])
        title = f"<title>{_text(labels[k])}</title>"
        parts.append(f'<polyline class="{kind} c{k}" points="{line}">{title}</polyline>')
    caption = f"{metric} by lead"
    if len(recipes) + len(baselines) > len(curves):
        caption += f"; the best {len(curves) - len(baselines)} of {len(recipes)} recipes"
    if any(d for _, points in curves for *_, d in points):
        caption += "; band: one standard deviation over seeds"
    return Figure(_svg(parts, caption), caption, tuple(labels))


def size_points(table: Table, metric: str) -> Figure | None:
    """Draw the score of each recipe against its number of parameters.

    Args:
        table: Table of the rows.
        metric: Column to draw.

    Returns:
        The figure; None if there are no two sizes.
    """
    found: list[tuple[float, float, Row]] = []
    for row in _drawn(table, metric):
        sizes = row.facts("num_parameters")
        mean = row.scores[metric].mean
        if sizes and sizes[0] and mean is not None:
            found.append((float(sizes[0]), mean, row))
    number, found = len(found), found[:MOST_POINTS]
    if len({size for size, *_ in found}) < 2:
        return None
    logs = [math.log10(size) for size, *_ in found]
    values = [value for _, value, _ in found]
    axes = _Axes(min(logs) - 0.1, max(logs) + 0.1, *_nice(min(values), max(values)))
    ticks = range(math.ceil(axes.low_x), math.floor(axes.high_x) + 1)
    axes.ticks_x = [(t, with_prefix(10.0**t)) for t in ticks] or [
        (x, with_prefix(round(10**x))) for x in (min(logs), max(logs))
    ]
    parts = [axes.frame("parameters"), '<g class="p">']
    for size, value, row in found:
        x, y = axes.place(math.log10(size), value)
        label = _text(f"{table.label_of(row)}: {with_prefix(size)}, {value:.4g}")
        parts.append(f'<circle cx="{x}" cy="{y}" r="4"><title>{label}</title></circle>')
    caption = f"{metric} against the number of parameters"
    if number > len(found):
        caption += f"; the best {len(found)} of {number} recipes"
    return Figure(_svg([*parts, "</g>"], caption), caption)


def _drawn(table: Table, metric: str) -> list[Row]:
    """Return recipes as they are and baselines, the best by a score first."""
    rows = [row for row in table.rows if row.counts and not row.postprocessor]
    up = higher_is_better(table.about, metric)
    if up is None:
        return rows

    def rank(row: Row) -> float:
        mean = row.scores[metric].mean
        return math.inf if mean is None else -mean if up else mean

    return sorted(rows, key=rank)


class _Axes:
    """Linear axes of a figure."""

    def __init__(
        self, low_x: float, high_x: float, low_y: float, high_y: float, step_y: float
    ) -> None:
        self.low_x, self.high_x, self.low_y, self.high_y = low_x, high_x, low_y, high_y
        # multiples of the step: 0 would else be the rounding error of a sum
        lowest, highest = round(low_y / step_y), round(high_y / step_y)
        self.ticks_y = [k * step_y for k in range(lowest, highest + 1)]
        step = max(1, math.ceil((high_x - low_x) / 6))
        whole = range(math.ceil(low_x), math.floor(high_x) + 1, step)
        self.ticks_x: list[tuple[float, str]] = [(x, str(x)) for x in whole]

    def place(self, x: float, y: float) -> tuple[str, str]:
        """Return the coordinates of a point, with one decimal."""
        across = (x - self.low_x) / (self.high_x - self.low_x)
        up = (y - self.low_y) / (self.high_y - self.low_y)
        column = LEFT + across * (WIDTH - LEFT - RIGHT)
        row = HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)
        return f"{column:.1f}", f"{row:.1f}"

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Return the points of a line."""
        return " ".join(",".join(self.place(x, y)) for x, y in points)

    def frame(self, name_x: str) -> str:
        """Return grid lines, ticks and the name of the x axis; the caption names the other."""
        parts = []
        for value in self.ticks_y:
            _, y = self.place(self.low_x, value)
            parts.append(f'<path class="g" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y}" class="y">{value:.4g}</text>')
        for value, text in self.ticks_x:
            x, _ = self.place(value, self.low_y)
            parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 14}" class="x">{text}</text>')
        middle = (LEFT + WIDTH - RIGHT) / 2
        parts.append(f'<text x="{middle}" y="{HEIGHT - 4}" class="x">{escape(name_x)}</text>')
        return "".join(parts)


def _text(text: str) -> str:
    """Return a text of a record as it can stand in an element or an attribute."""
    return escape(printable(text))


def _svg(parts: Sequence[str], caption: str) -> str:
    label = _text(caption)
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {box} role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _nice(low: float, high: float) -> tuple[float, float, float]:
    """Return ends and step of an axis with round numbers."""
    span = high - low or abs(high) or 1.0
    rough = span / 4
    size = 10 ** math.floor(math.log10(rough))
    step = size * next(k for k in (1, 2, 2.5, 5, 10) if k * size >= rough)
    return math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step, step
