"""Draw one sample of several methods: inputs, truth, and a row of forecasts for each method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap, Normalize

from openstl_ext.visualization.channel_rows import (
    Array,
    ChannelRows,
    channel_names,
    channel_rows,
)
from openstl_ext.visualization.compared import Compared
from openstl_ext.visualization.grid import (
    GAP,
    HEADING,
    LABEL,
    LINE,
    MARGIN,
    MINUS,
    SCALE,
    Layout,
    colored,
    draw_legend,
    left_out,
    short_number,
    shown_steps,
    step_label,
    step_unit,
)
from openstl_ext.visualization.legend import headline
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.scales import centred, colormaps, shared
from openstl_ext.visualization.style import FAINT, INK, NAME, VALUES

NAMES = 300
"""Most pixels of the name of a method beside its row."""
LEAST_BAR = 150
"""Shortest colour bar in pixels; the rows of small frames are lower."""


def draw_methods(
    compared: Compared,
    *,
    picked: Sequence[str] = (),
    rgb: bool = False,
    colormap: str = VALUES,
    most_columns: int = 12,
    differences: bool = False,
) -> Page:
    """Draw the steps of a sample as several methods forecast them.

    All rows of a channel share one scale, all differences another one, so that methods compare.
    Below each row is the MSE of each step.

    Args:
        compared: The sample of each method.
        picked: Names or numbers of the channels to show; by default all.
        rgb: Show three channels as RGB.
        colormap: Name of matplotlib's colormap of the values.
        most_columns: Largest number of columns; longer sequences are shown with a stride.
        differences: Whether to draw forecast minus truth below each forecast.

    Raises:
        UserError: If a channel or a colormap does not exist, or the predictions are labels.
    """
    frames, about = compared.frames, compared.about
    first = next(iter(frames.values()))
    names = channel_names(about, first.forecast.shape[1])
    channels = [channel_rows(s, names, picked=picked, rgb=rgb) for s in frames.values()]
    past, future = (shown_steps(len(x), most_columns) for x in (first.inputs, first.target))
    height, width = first.target.shape[-2:]
    layout = Layout.fit(height, width, max(len(past), len(future)))
    gutter = 14 + min(NAMES, max(text_width(name, NAME) for name in (*frames, "difference")))
    numbers = 1 + any((row.known < 1).any() for rows in channels for row in rows)
    block = _Block(layout, gutter, tuple(frames), past, future, numbers, differences)
    titled = len(channels[0]) > 1 or rgb
    pitch = block.height + HEADING * titled + 2 * GAP
    gaps = any(row.has_gaps for rows in channels for row in rows)
    notes = left_out(first, past, future, 3 if rgb else len(channels[0]))
    right = 2 * MARGIN + gutter + layout.columns * layout.pitch + SCALE
    bottom = MARGIN + HEADING + len(channels[0]) * pitch + (LINE + GAP) * bool(gaps or notes)
    page = Page(max(right, 760), bottom + MARGIN // 2)
    headline(page, first.name, "", MARGIN)
    values, signed, missing = colormaps(colormap)
    for number, rows in enumerate(zip(*channels, strict=True)):
        top = MARGIN + HEADING + number * pitch
        if titled:
            page.text(MARGIN, top + HEADING / 2 - 4, rows[0].name, align="left", weight="bold")
            top += HEADING
        _Drawing(page, block, rows, (values, signed, missing), compared).draw(top)
    draw_legend(page, missing if gaps else None, notes)
    return page


@dataclass(frozen=True)
class _Block:
    """Places of the rows of one channel.

    Args:
        layout: Sizes of the frames.
        gutter: Room for the names of the rows.
        methods: Names of the methods.
        past: Steps of the inputs that are shown.
        future: Steps of the forecasts that are shown.
        numbers: Lines of text below a forecast.
        differences: Whether each forecast has a row of differences.
    """

    layout: Layout
    gutter: int
    methods: tuple[str, ...]
    past: list[int]
    future: list[int]
    numbers: int
    differences: bool

    @property
    def step(self) -> int:
        """Height of a method: its rows and the line of numbers."""
        panel = self.layout.panel[1]
        return panel + (panel + GAP) * self.differences + LINE * self.numbers + 2 * GAP

    @property
    def height(self) -> int:
        """Height of all rows."""
        return 2 * (LABEL + self.layout.panel[1]) + 2 * GAP + len(self.methods) * self.step

    def box(self, column: int, top: int) -> tuple[int, int, int, int]:
        """Return the box of a frame."""
        layout = self.layout
        left = MARGIN + self.gutter + column * layout.pitch
        return (left + (layout.pitch - GAP - layout.panel[0]) // 2, top, *layout.panel)


@dataclass(frozen=True)
class _Drawing:
    """The rows of one channel on a page."""

    page: Page
    block: _Block
    rows: Sequence[ChannelRows]
    maps: tuple[Colormap, Colormap, str]
    compared: Compared

    def draw(self, top: int) -> None:
        """Draw inputs, truth and each method, with two scales."""
        block, first = self.block, self.rows[0]
        panel, past = block.layout.panel[1], len(first.inputs)
        norm = shared(first.inputs, first.target, *(row.forecast for row in self.rows))
        signed = centred(np.stack([row.difference for row in self.rows]))
        self._labels(top, [step + 1 - past for step in block.past])
        self._row("inputs", first.inputs[block.past], top + LABEL, norm)
        scale = top + LABEL
        top = scale + panel + LABEL
        self._labels(top - LABEL, [step + 1 for step in block.future])
        self._row("truth", first.target[block.future], top, norm)
        if not first.is_rgb:
            unit = str(self.compared.about.get("unit") or "1")
            box = (scale, top + panel - scale)
            self._scale(*box, self.maps[0], norm, "" if unit == "1" else unit)
        top += panel + 2 * GAP
        if block.differences:
            height = max(panel, min(LEAST_BAR, block.step - 2 * GAP))
            label = f"forecast {MINUS} truth"
            self._scale(top, height, self.maps[1], signed, label)
        for name, row in zip(block.methods, self.rows, strict=True):
            self._row(name, row.forecast[block.future], top, norm)
            end = top + panel
            if block.differences:
                self._row(
                    "difference", row.difference[block.future], end + GAP, signed, signed=True
                )
                end += GAP + panel
            self._numbers(row, end)
            top += block.step

    def _row(
        self, name: str, frames: Array, top: int, norm: Normalize, *, signed: bool = False
    ) -> None:
        page, edge = self.page, MARGIN + self.block.gutter - 12
        words = fitted(name, self.block.gutter - 12, NAME)
        middle = top + self.block.layout.panel[1] / 2
        page.text(edge, middle, words, align="right", size=NAME, color=FAINT if signed else INK)
        for column, frame in enumerate(frames):
            box = self.block.box(column, top)
            if frame.ndim == 3:
                page.image(colored(frame, norm, self.maps[2]), box)
            else:
                page.image(frame, box, cmap=self.maps[1] if signed else self.maps[0], norm=norm)

    def _labels(self, top: int, steps: Sequence[int]) -> None:
        """Write the times above a row, and their unit beside them."""
        lead = self.compared.about.get("lead") or ()
        middle, unit = top + 0.57 * LABEL, step_unit(lead)
        if unit != "frame":
            edge = MARGIN + self.block.gutter - 12
            self.page.text(edge, middle, unit, align="right", size=6.5, color=FAINT)
        for column, step in enumerate(steps):
            self._below(column, middle, step_label(step, lead))

    def _numbers(self, row: ChannelRows, top: int) -> None:
        """Write the error of each step, and the share of known pixels where some are missing."""
        lines = [("MSE", [short_number(row.mse[step]) for step in self.block.future])]
        if self.block.numbers > 1:
            lines.append(("known", [f"{100 * row.known[s]:.0f} %" for s in self.block.future]))
        for number, (name, words) in enumerate(lines):
            middle = top + LINE * (number + 0.55) + 2
            edge = MARGIN + self.block.gutter - 12
            self.page.text(edge, middle, name, align="right", size=6.5, color=FAINT)
            for column, word in enumerate(words):
                self._below(column, middle, word)

    def _below(self, column: int, middle: float, words: str) -> None:
        box = self.block.box(column, 0)
        self.page.text(box[0] + box[2] / 2, middle, words, size=6.5, color=FAINT)

    def _scale(self, top: int, height: int, cmap: Colormap, norm: Normalize, label: str) -> None:
        layout = self.block.layout
        left = MARGIN + self.block.gutter + layout.columns * layout.pitch + 2 * GAP
        self.page.colorbar((left, top, 14, height), cmap=cmap, norm=norm, label=label)
