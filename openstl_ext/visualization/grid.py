"""Draw a forecast as a grid: inputs, target, forecast and difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import Colormap, Normalize, to_rgb

from openstl_ext.visualization.channel_rows import (
    Array,
    ChannelRows,
    channel_names,
    channel_rows,
)
from openstl_ext.visualization.legend import headline, panel_size
from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.saved import SavedSample
from openstl_ext.visualization.scales import centred, colormaps, shared
from openstl_ext.visualization.style import FAINT

MINUS = "\N{MINUS SIGN}"
MARGIN, GUTTER, SCALE = 26, 118, 150  # left and right edge, row names, colour bar with numbers
GAP, LABEL, LINE, HEADING = 6, 28, 19, 34  # between panels, time labels, a line of text, a title
LEAST_PITCH = 84  # so that a number fits below a narrow panel


@dataclass(frozen=True)
class Layout:
    """Sizes of a page in whole pixels.

    Args:
        panel: Width and height of a frame.
        pitch: Distance between columns.
        columns: Number of columns.
    """

    panel: tuple[int, int]
    pitch: int
    columns: int

    @classmethod
    def fit(cls, height: int, width: int, columns: int) -> "Layout":
        """Choose panels that are a whole multiple of their data, as large as a page allows."""
        panel = panel_size(height, width, min(220, max(104, 1480 // columns)))
        return cls(panel, max(panel[0] + GAP, LEAST_PITCH), columns)

    @property
    def width(self) -> int:
        """Width of the page."""
        return max(2 * MARGIN + GUTTER + self.columns * self.pitch + SCALE, 760)

    def box(self, column: int, top: int) -> tuple[int, int, int, int]:
        """Return the box of a frame."""
        left = MARGIN + GUTTER + column * self.pitch + (self.pitch - GAP - self.panel[0]) // 2
        return (left, top, *self.panel)

    def middle(self, column: int) -> float:
        """Return the horizontal middle of a column."""
        return self.box(column, 0)[0] + self.panel[0] / 2

    def rows_height(self, *, titled: bool, gaps: bool) -> int:
        """Return the height of the four rows of a channel with their labels."""
        words = 2 * LABEL + LINE * (1 + gaps) + HEADING * titled
        return words + 4 * self.panel[1] + 2 * GAP + 2 * GAP


def draw_grid(
    sample: SavedSample,
    about: Mapping[str, Any] | None = None,
    *,
    picked: Sequence[str] = (),
    rgb: bool = False,
    colormap: str = "viridis",
    most_columns: int = 12,
) -> Page:
    """Draw a sample with four rows for each channel.

    Inputs, target and forecast of a channel share one scale, because a forecast with a bias looks
    right on its own scale. The difference has a scale that is symmetric about 0.

    Args:
        sample: The frames.
        about: Facts of the dataset: ``channels``, ``unit``, ``lead`` such as ``(30, "min")``,
            ``config``.
        picked: Names or numbers of the channels to show; by default all.
        rgb: Show three channels as RGB.
        colormap: Name of matplotlib's colormap of the values.
        most_columns: Largest number of columns; longer sequences are shown with a stride.

    Raises:
        UserError: If a channel or a colormap does not exist.
    """
    about = about or {}
    names = channel_names(about, sample.forecast.shape[1])
    channels = channel_rows(sample, names, picked=picked, rgb=rgb)
    past = shown_steps(len(sample.inputs), most_columns)
    future = shown_steps(len(sample.forecast), most_columns)
    height, width = sample.forecast.shape[-2:]
    layout = Layout.fit(height, width, max(len(past), len(future)))
    titled = sample.forecast.shape[1] > 1
    tops, top = [], MARGIN + HEADING
    for rows in channels:
        tops.append(top)
        top += layout.rows_height(titled=titled, gaps=bool((rows.known < 1).any())) + 3 * GAP
    gaps = any(rows.has_gaps for rows in channels)
    notes = left_out(sample, past, future, 3 if rgb else len(picked) or len(channels))
    page = Page(layout.width, top + (LINE + GAP) * bool(gaps or notes) + MARGIN // 2)
    headline(page, sample.name, str(about.get("config") or ""), MARGIN)
    maps = colormaps(colormap)
    for rows, rows_top in zip(channels, tops, strict=True):
        drawing = _Drawing(page, layout, rows, maps, past, future, about)
        drawing.draw(rows_top, titled=titled)
    draw_legend(page, maps[2] if gaps else None, notes)
    return page


def shown_steps(length: int, most: int) -> list[int]:
    """Return all steps, or steps with a stride that include the last."""
    stride = -(-length // max(most, 1))
    return list(range(length - 1, -1, -stride))[::-1]


def step_label(step: int, lead: Sequence[Any]) -> str:
    """Return the time since the last input: ``t+1``, or ``+30`` for steps of 30 minutes."""
    unit = step_unit(lead)
    amount = step if unit == "frame" else step * lead[0]
    signed = f"+{amount:g}" if amount > 0 else f"{amount:g}".replace("-", MINUS)
    if unit != "frame":
        return signed
    return "t" if step == 0 else "t" + signed


def step_unit(lead: Sequence[Any]) -> str:
    """Return the unit of time; ``frame`` where the dataset has none."""
    return str(lead[1]) if len(lead) == 2 else "frame"


@dataclass(frozen=True)
class _Drawing:
    """The rows of one channel on a page."""

    page: Page
    layout: Layout
    rows: ChannelRows
    maps: tuple[Colormap, Colormap, str]
    past: list[int]
    future: list[int]
    about: Mapping[str, Any]

    def draw(self, top: int, *, titled: bool) -> None:
        """Draw four rows with their labels and two scales."""
        rows, values, height = self.rows, self.maps[0], self.layout.panel[1]
        if titled:
            self.page.text(MARGIN, top + HEADING / 2 - 4, rows.name, align="left", weight="bold")
            top += HEADING
        norm = shared(rows.inputs, rows.target, rows.forecast)
        first, lead = top + LABEL, self.about.get("lead") or ()
        self._labels(top, [step_label(s + 1 - len(rows.inputs), lead) for s in self.past])
        self._row("inputs", rows.inputs[self.past], first, norm, values)
        top = first + height + LABEL
        self._labels(top - LABEL, [step_label(s + 1, lead) for s in self.future])
        self._row("target", rows.target[self.future], top, norm, values)
        top += height + GAP
        self._row("forecast", rows.forecast[self.future], top, norm, values)
        if not rows.is_rgb:
            self._scale(first, top + height - first, values, norm, self._unit())
        top += height + 3 * GAP
        signed = centred(rows.difference)
        self._row("difference", rows.difference[self.future], top, signed, self.maps[1])
        if height > 3 * LINE:
            place = MARGIN + GUTTER - 12, top + height / 2 + LINE
            words = f"forecast {MINUS} target"
            self.page.text(*place, words, align="right", size=6, color=FAINT)
        self._scale(top, height, self.maps[1], signed, "")
        self._numbers(top + height)

    def _row(self, name: str, frames: Array, top: int, norm: Normalize, cmap: Colormap) -> None:
        page, middle = self.page, top + self.layout.panel[1] / 2
        page.text(MARGIN + GUTTER - 12, middle, name, align="right", size=8)
        for column, frame in enumerate(frames):
            box = self.layout.box(column, top)
            if frame.ndim == 3:
                page.image(colored(frame, norm, self.maps[2]), box)
            else:
                page.image(frame, box, cmap=cmap, norm=norm)

    def _labels(self, top: int, labels: Sequence[str]) -> None:
        """Write the times above a row, and their unit in the gutter."""
        middle = top + 0.57 * LABEL  # nearer to the row below, which it labels
        unit = step_unit(self.about.get("lead") or ())
        if unit != "frame":
            left = MARGIN + GUTTER - 12
            self.page.text(left, middle, unit, align="right", size=6.5, color=FAINT)
        for column, label in enumerate(labels):
            place = self.layout.middle(column), middle
            self.page.text(*place, label, size=6.5, color=FAINT)

    def _numbers(self, top: int) -> None:
        """Write the error of each step, and the share of known pixels where some are missing."""
        rows = [("MSE", [short_number(self.rows.mse[step]) for step in self.future])]
        if (self.rows.known < 1).any():
            rows.append(("known", [f"{100 * self.rows.known[s]:.0f} %" for s in self.future]))
        for number, (name, words) in enumerate(rows):
            middle = top + LINE * (number + 0.55) + 2
            left = MARGIN + GUTTER - 12
            self.page.text(left, middle, name, align="right", size=6.5, color=FAINT)
            for column, word in enumerate(words):
                self.page.text(self.layout.middle(column), middle, word, size=6.5, color=FAINT)

    def _scale(self, top: int, height: int, cmap: Colormap, norm: Normalize, label: str) -> None:
        left = MARGIN + GUTTER + self.layout.columns * self.layout.pitch + 2 * GAP
        self.page.colorbar((left, top, 14, height), cmap=cmap, norm=norm, label=label)

    def _unit(self) -> str:
        unit = str(self.about.get("unit") or "1")
        return "" if unit == "1" else unit


def left_out(
    sample: SavedSample, past: Sequence[int], future: Sequence[int], num_channels: int
) -> list[str]:
    """Return notes on steps and channels that are not shown."""
    every = ((past, len(sample.inputs), "inputs"), (future, len(sample.forecast), "forecast steps"))
    notes = [f"{len(s)} of {n} {what} are shown" for s, n, what in every if len(s) < n]
    if num_channels < sample.forecast.shape[1]:
        notes.append(f"{num_channels} of {sample.forecast.shape[1]} channels are shown")
    return notes


def draw_legend(page: Page, missing: str | None, notes: Sequence[str]) -> None:
    """Draw the colour of missing data and the notes."""
    middle, left = page.height - MARGIN, MARGIN + GUTTER
    if missing:
        page.frame((left, middle - 6, 12, 12), fill=missing)
        page.text(left + 20, middle, "no data", align="left", size=6.5, color=FAINT)
        left += 20 + text_width("no data", 6.5) + 30
    page.text(left, middle, "; ".join(notes), align="left", size=6.5, color=FAINT)


def colored(frame: Array, norm: Normalize, missing: str) -> Array:
    """Return the colours of an RGB frame; a pixel is missing if one channel is."""
    scaled = np.clip(np.asarray(norm(frame)), 0, 1)
    known = np.isfinite(frame).all(axis=-1, keepdims=True)
    return np.where(known, scaled, np.asarray(to_rgb(missing), dtype=np.float32))


def short_number(value: float) -> str:
    """Format a number with three digits."""
    if not np.isfinite(value):
        return "n/a"
    return f"{value:.3g}" if value == 0 or 1e-4 <= abs(value) < 1e4 else f"{value:.1e}"
