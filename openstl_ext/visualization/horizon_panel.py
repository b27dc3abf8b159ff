"""Draw forecasts of several samples on one page, with a row per horizon and one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log
from typing import Any

import numpy as np
from matplotlib.colors import Colormap, Normalize

from openstl_ext.errors import UserError
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.panel_sample import PanelSample
from openstl_ext.visualization.scales import DIVERGING, between, centred, declared, with_missing
from openstl_ext.visualization.style import FAINT

MINUS = "\N{MINUS SIGN}"
WIDTHS = "magma"
COLUMNS = ("target", "forecast", "difference", "interval width")
MARGIN, TITLE, HEADING, LINE = 26, 76, 25, 21
GAP, APART, BETWEEN = 6, 10, 36  # between maps, horizons, samples
BAR, SCALE = 14, 100  # a colour bar, and its width with the numbers
LEGEND, LEAST_WIDTH = 34, 760
PANEL, LEAST = 128, 104  # approximate side of a panel; smallest width for its text
BARS = (90, 240)  # smallest and largest height of a colour bar
SHAPE = 1.25  # width over height of a page that fits a screen


@dataclass(frozen=True)
class Layout:
    """Sizes of a page in whole pixels. A block is the area of one sample.

    Args:
        panel: Width and height of a map.
        pitch: Distance between maps.
        columns: Maps in a row of a block.
        rows: Horizons of a block.
        across: Blocks in a row.
        down: Blocks in a column.
    """

    panel: tuple[int, int]
    pitch: int
    columns: int
    rows: int
    across: int
    down: int

    @classmethod
    def fit(cls, shape: tuple[int, int], *, columns: int, rows: int, blocks: int) -> "Layout":
        """Choose maps that are a whole multiple of their data, and a page that fits a screen."""
        height, width = shape
        longest = max(height, width)
        zoom = max(1.0, round(PANEL / longest)) if longest <= 1.6 * PANEL else PANEL / longest
        panel = max(1, round(width * zoom)), max(1, round(height * zoom))
        pitch = max(panel[0] + GAP, LEAST)
        best, nearest = 1, inf
        for across in range(1, blocks + 1):
            layout = cls(panel, pitch, columns, rows, across, -(-blocks // across))
            away = abs(log(layout.width / layout.height / SHAPE))
            if away < nearest - 1e-9:
                best, nearest = across, away
        return cls(panel, pitch, columns, rows, best, -(-blocks // best))

    @property
    def block(self) -> tuple[int, int]:
        """Width and height of a block."""
        return self.columns * self.pitch - GAP, 2 * HEADING + self.rows * self.row - APART

    @property
    def row(self) -> int:
        """Distance between horizons."""
        return LINE + self.panel[1] + APART

    @property
    def width(self) -> int:
        """Width of the page."""
        blocks = self.across * (self.block[0] + BETWEEN)
        return max(2 * MARGIN + blocks + SCALE, LEAST_WIDTH)

    @property
    def height(self) -> int:
        """Height of the page."""
        blocks = self.down * (self.block[1] + BETWEEN) - BETWEEN
        bars = HEADING + (self.columns - 1) * (BARS[0] + 2 * HEADING)
        return TITLE + max(blocks, bars) + LEGEND + MARGIN

    @property
    def bar_height(self) -> int:
        """Height of a colour bar: an equal share of the page, within limits."""
        room = self.height - TITLE - HEADING - LEGEND - MARGIN
        return min(max(room // (self.columns - 1) - 2 * HEADING, BARS[0]), BARS[1])

    def corner(self, block: int) -> tuple[int, int]:
        """Return the left and top of a block."""
        down, across = divmod(block, self.across)
        left = MARGIN + across * (self.block[0] + BETWEEN)
        return left, TITLE + down * (self.block[1] + BETWEEN)


@dataclass(frozen=True)
class _Scales:
    """Colormap and scale of each column; target and forecast share theirs."""

    maps: tuple[Colormap, ...]
    norms: tuple[Normalize, ...]
    missing: str

    def of(self, column: int) -> tuple[Colormap, Normalize]:
        """Return the colormap and the scale of a column."""
        return self.maps[max(column - 1, 0)], self.norms[max(column - 1, 0)]


def draw_panel(
    samples: Sequence[PanelSample],
    about: Mapping[str, Any] | None = None,
    *,
    value_range: Sequence[float] | None = None,
    colormap: str = "viridis",
) -> Page:
    """Draw samples in blocks: target, forecast, difference, and the width of the interval.

    All blocks share their scales, so that small and large changes can be compared. Pixels without
    a target have one colour in every column, the forecast included.

    Args:
        samples: All of one shape; with an interval, or without.
        about: Texts of the page: ``title``, ``subtitle``, ``unit``.
        value_range: Ends of the scale; by default those of a unit such as ``0-1``, else the first
            and the last percentile of all values.
        colormap: Name of matplotlib's colormap of the values.

    Raises:
        UserError: If there is no sample or no such colormap, or the range is wrong.
        ValueError: If the samples differ in shape.
    """
    about = about or {}
    if not samples:
        raise UserError("there is no sample to draw")
    if len({(s.target.shape, s.interval is None) for s in samples}) > 1:
        raise ValueError("the samples of a panel have one shape, with or without an interval")
    scales = _scales(samples, str(about.get("unit") or ""), value_range, colormap)
    rows, *shape = samples[0].target.shape
    columns = 3 if samples[0].interval is None else 4
    layout = Layout.fit((shape[0], shape[1]), columns=columns, rows=rows, blocks=len(samples))
    page = Page(layout.width, layout.height)
    _title(page, about)
    for number, sample in enumerate(samples):
        _block(page, layout, layout.corner(number), sample, scales)
    _bars(page, layout, scales, str(about.get("unit") or ""))
    _legend(page, samples, scales)
    return page


def _scales(
    samples: Sequence[PanelSample], unit: str, value_range: Sequence[float] | None, colormap: str
) -> _Scales:
    if value_range is None:
        both = [array for s in samples for array in (s.target, s.forecast)]
        values = declared(unit) or between(both)
    elif len(value_range) == 2 and value_range[0] < value_range[1]:
        values = Normalize(float(value_range[0]), float(value_range[1]))
    else:
        raise UserError(f"a range is two numbers, the lesser first; got {value_range}")
    norms = [values, centred(np.concatenate([s.difference for s in samples]))]
    intervals = [s.interval for s in samples if s.interval is not None]
    if intervals:
        known = np.concatenate([i[np.isfinite(i)] for i in intervals])
        # ends that cross are less than 0
        norms.append(Normalize(min(0.0, known.min(initial=0)), known.max(initial=0) or 1.0))
    *maps, missing = with_missing(colormap, DIVERGING, WIDTHS)
    return _Scales(tuple(maps), tuple(norms), missing)


def _block(
    page: Page, layout: Layout, corner: tuple[int, int], sample: PanelSample, scales: _Scales
) -> None:
    """Draw the name of the sample, the column names, and a row per horizon."""
    left, top = corner
    page.text(left, top + 8, fitted(sample.name, layout.block[0], 8), **_NAME)
    fields = [sample.target, sample.forecast, sample.difference]
    fields += [] if sample.interval is None else [sample.interval]
    for column in range(layout.columns):
        middle = left + column * layout.pitch + layout.panel[0] / 2
        page.text(middle, top + HEADING + 8, COLUMNS[column], size=7, color=FAINT)
    for row, (horizon, number, error) in enumerate(
        zip(sample.horizons, sample.num_valid, sample.errors, strict=True)
    ):
        above = top + 2 * HEADING + row * layout.row - 4
        page.text(left, above + LINE / 2, f"{horizon}, valid_px = {number}", align="left", size=7)
        right = left + layout.block[0]
        digits = ".0f" if error >= 1000 else ".3g"  # 2,830, and not 2.83e+03
        text = f"MAE {error:{digits}}" if number else "no target"
        page.text(right, above + LINE / 2, text, align="right", size=7, color=FAINT)
        for column, field in enumerate(fields):
            cmap, norm = scales.of(column)
            box = (left + column * layout.pitch, above + LINE, *layout.panel)
            page.image(field[row], box, cmap=cmap, norm=norm)


_NAME: dict[str, Any] = {"align": "left", "size": 8, "weight": "bold"}


def _bars(page: Page, layout: Layout, scales: _Scales, unit: str) -> None:
    """Draw the scales in a column to the right of the blocks."""
    left = layout.corner(layout.across - 1)[0] + layout.block[0] + BETWEEN
    named = unit if declared(unit) is None and unit != "1" else ""
    heads = ("value", "difference", "interval width")
    order = f"forecast {MINUS} target"
    labels = (named, order if text_width(order, 7) < layout.bar_height else "", "")
    for number, norm in enumerate(scales.norms):
        top = TITLE + 2 * HEADING + LINE - 4 + number * (layout.bar_height + 2 * HEADING)
        page.text(left, top - LINE / 2 - 5, heads[number], align="left", size=7)
        box = (left, top, BAR, layout.bar_height)
        page.colorbar(box, cmap=scales.maps[number], norm=norm, label=labels[number])


def _title(page: Page, about: Mapping[str, Any]) -> None:
    """Write the title and the subtitle."""
    title, more = str(about.get("title") or "forecasts"), str(about.get("subtitle") or "")
    room = page.width - 2 * MARGIN
    page.text(MARGIN, 24, fitted(title, room, 10), align="left", size=10, weight="bold")
    page.text(MARGIN, 48, fitted(more, room, 7.5), align="left", color=FAINT)


def _legend(page: Page, samples: Sequence[PanelSample], scales: _Scales) -> None:
    """Write the colour of missing data, and whether values lie beyond the scale."""
    middle = page.height - MARGIN
    page.frame((MARGIN, middle - 6, 12, 12), fill=scales.missing)
    words = "no data or no target"
    shown = np.concatenate([a[np.isfinite(a)] for s in samples for a in (s.target, s.forecast)])
    low, high = scales.norms[0].vmin, scales.norms[0].vmax
    if shown.size and (shown.min() < low or shown.max() > high):
        words += "; values beyond the scale have its end colours"
    page.text(MARGIN + 20, middle, words, align="left", size=7, color=FAINT)
