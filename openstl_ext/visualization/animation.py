"""Samples step by step as an animation: truth, forecasts and their differences side by side."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from openstl_ext.errors import UserError
from openstl_ext.visualization.animated_rows import Row
from openstl_ext.visualization.legend import Legend
from openstl_ext.visualization.legend import panel_size as fit_panel
from openstl_ext.visualization.page import Page, fitted
from openstl_ext.visualization.palette import Palette, Pixels
from openstl_ext.visualization.scales import rgb_bytes
from openstl_ext.visualization.style import DPI, FAINT, INK, LINE, NAME

MARGIN, TITLE, CLOCK, HEADING, GAP = 20, 30, 34, 28, 12
SCALE, BAR = 92, 12  # colour bar with its numbers, its width
APART, NOTE, NAMES = 12, 24, 24  # below a row, a line of notes, upright names of rows
LEAST_WIDTH, ROOM = 460, 1000  # smallest width of a page, width of all panels together
MOST_PANELS = 60
PANEL = 200
"""Length of the longer side of a panel in pixels, where they fit."""
LAST = 100
"""Hundredths of a second that the last frame stays longer, so that the repetition is seen."""


@dataclass(frozen=True)
class Animation:
    """Frames of equal size, as indices (F, H, W) of one palette."""

    palette: Palette
    frames: NDArray[np.uint8]

    def gif(self, frames_per_second: float) -> bytes:
        """Return the frames as a GIF that repeats; equal frames give equal bytes."""
        colors = self.palette.colors.reshape(-1).tolist()
        images = [Image.fromarray(frame) for frame in self.frames]
        for image in images:
            image.putpalette(colors)
        each = 10 * max(2, round(100 / frames_per_second))  # in steps of 10 ms
        durations = [each] * (len(images) - 1) + [each + 10 * LAST]
        out, others = io.BytesIO(), images[1:]
        about: dict[str, Any] = {"duration": durations, "loop": 0, "optimize": False}
        images[0].save(out, "GIF", save_all=True, append_images=others, **about)
        return out.getvalue()

    def mp4(self, path: Path, frames_per_second: float) -> None:
        """Write the frames as H.264, which browsers play.

        Raises:
            UserError: If PyAV is not installed.
        """
        try:
            import av
        except ImportError as error:
            raise UserError(f"{path}: MP4 needs PyAV: pip install av, or choose .gif") from error
        height, width = (side + side % 2 for side in self.frames.shape[1:])  # H.264 needs even ones
        with av.open(str(path), "w", format="mp4") as file:
            rate = Fraction(frames_per_second).limit_denominator(1000)
            stream: Any = file.add_stream("libx264", rate=rate, options={"crf": "16"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            page = np.full((height, width, 3), 255, np.uint8)
            for frame in self.frames:
                page[: frame.shape[0], : frame.shape[1]] = self.palette.colors[frame]
                file.mux(stream.encode(av.VideoFrame.from_ndarray(page, format="rgb24")))
            file.mux(stream.encode())


def draw_animation(
    rows: Sequence[Row],
    *,
    title: str,
    clocks: Sequence[str],
    notes: str = "",
    panel_size: int = PANEL,
) -> Animation:
    """Draw rows of panels, one frame of the animation per time.

    Args:
        rows: Rows of panels, all of as many times as there are clocks.
        title: First line.
        clocks: Words for each time, such as ``t+1, forecast``.
        notes: Words at the bottom.
        panel_size: Wanted length of the longer side of a panel, in pixels.

    Raises:
        UserError: If there are too many panels for one picture, or samples of other lengths.
    """
    panels = [panel for row in rows for panel in row.panels]
    if len(panels) > MOST_PANELS:
        raise UserError(
            f"{len(panels)} panels are too many for one animation, at most {MOST_PANELS} fit; "
            "choose fewer samples, methods or channels"
        )
    if lengths := {len(panel.colors) for panel in panels} - {len(clocks)}:
        raise UserError(
            f"the samples have {len(clocks)} and {lengths.pop()} frames; animate samples of one "
            "length together"
        )
    layout = _Layout.of(rows, panel_size)
    legend = Legend(
        tuple(dict.fromkeys(entry for row in rows for entry in row.legend)),
        layout.width - 2 * MARGIN,
    )
    page = _page(layout, rows, legend, title, notes)
    fixed = [scale.colors for row in rows for scale in row.scales]
    fixed += [rgb_bytes(color) for color, _ in legend.entries]
    shown = [_reduced(panel.colors, layout.panel) for panel in panels]
    palette = Palette.of(fixed, shown)
    frames = np.repeat(palette.indices(page.pixels())[None], len(clocks), axis=0)
    places = [(k, column) for k, row in enumerate(rows) for column in range(len(row.panels))]
    for place, colors in zip(places, shown, strict=True):
        left, top, width, height = layout.box(*place)
        box = frames[:, top : top + height, left : left + width]
        box[:] = _resized(palette.indices(colors), layout.panel)
    _write_clocks(frames, layout, clocks, palette)
    return Animation(palette, frames)


@dataclass(frozen=True)
class _Layout:
    """Sizes of a page in whole pixels.

    Args:
        panel: Width and height of a panel.
        columns: Largest number of panels in a row.
        rows: Number of rows.
        scales: Largest number of colour bars of a row.
        names: Room for the names of the rows.
    """

    panel: tuple[int, int]
    columns: int
    rows: int
    scales: int
    names: int

    @classmethod
    def of(cls, rows: Sequence[Row], wanted: int) -> "_Layout":
        """Choose panels that are a whole multiple of their data, as large as a page allows."""
        columns = max(len(row.panels) for row in rows)
        height, width = rows[0].panels[0].colors.shape[1:3]
        panel = fit_panel(height, width, min(wanted, max(72, ROOM // columns)))
        names = NAMES if any(row.name for row in rows) else 0
        return cls(panel, columns, len(rows), max(len(row.scales) for row in rows), names)

    @property
    def pitch(self) -> int:
        """Distance between columns."""
        return max(self.panel[0] + GAP, 100)

    @property
    def width(self) -> int:
        """Width of the page."""
        inner = self.names + self.columns * self.pitch + self.scales * SCALE
        return max(2 * MARGIN + inner, LEAST_WIDTH)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return the box of a panel."""
        top = MARGIN // 2 + TITLE + CLOCK + row * (HEADING + self.panel[1] + APART) + HEADING
        return (MARGIN + self.names + column * self.pitch, top, *self.panel)

    @property
    def bottom(self) -> int:
        """Lower end of the rows."""
        return self.box(self.rows, 0)[1] - HEADING


def _page(layout: _Layout, rows: Sequence[Row], legend: Legend, title: str, notes: str) -> Page:
    """Draw what does not move."""
    below = layout.bottom + (legend.height if legend.entries else 0)
    page = Page(layout.width, below + (NOTE if notes else 0) + MARGIN // 2)
    room, middle = layout.width - 2 * MARGIN, MARGIN // 2 + TITLE // 2
    page.text(MARGIN, middle, fitted(title, room, 9), align="left", size=9, weight="bold")
    for k, row in enumerate(rows):
        for column, panel in enumerate(row.panels):
            left, top, width, height = layout.box(k, column)
            words = fitted(panel.name, layout.pitch - 4, 7)
            page.text(left, top - HEADING / 2 + 2, words, align="left", size=7)
            page.frame((left - 1, top - 1, width + 2, height + 2))
        left, top, _, height = layout.box(k, layout.columns)
        words = fitted(row.name, height, 7)
        page.text(MARGIN + 6, top + height / 2, words, size=7, color=FAINT, upright=True)
        for number, scale in enumerate(row.scales):
            box = (left + number * SCALE, top, BAR, height)
            page.colorbar(box, cmap=scale.cmap, norm=scale.norm, label=scale.label)
    if legend.entries:
        legend.draw(page, MARGIN, layout.bottom)
    words = fitted(notes, room, 6.5)
    page.text(MARGIN, below + NOTE / 2, words, align="left", size=6.5, color=FAINT)
    return page


def _write_clocks(
    frames: NDArray[np.uint8], layout: _Layout, clocks: Sequence[str], palette: Palette
) -> None:
    """Write the time into each frame, and a bar of the time that has passed."""
    file = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(str(file), round(NAME / 72 * DPI))
    top, height, width = MARGIN // 2 + TITLE, CLOCK - 10, layout.width - 2 * MARGIN
    ink, line = (int(palette.indices(rgb_bytes(color))[0]) for color in (INK, LINE))
    for number, words in enumerate(clocks):
        image = Image.new("RGB", (width, height), "white")
        ImageDraw.Draw(image).text((0, 0), words, fill=INK, font=font)
        frames[number, top : top + height, MARGIN : MARGIN + width] = palette.indices(
            np.asarray(image)
        )
        bar = frames[number, top + height + 4 : top + height + 7, MARGIN : MARGIN + width]
        bar[:] = line
        bar[:, : round(width * (number + 1) / len(clocks))] = ink


def _reduced(frames: Pixels, size: tuple[int, int]) -> Pixels:
    """Return frames that are at most of a width and height; fewer pixels to look up."""
    height, width = frames.shape[1:3]
    return _resized(frames, (min(size[0], width), min(size[1], height)))


def _resized(frames: Pixels, size: tuple[int, int]) -> Pixels:
    """Return frames (F, H, W, ...) of another width and height, by the nearest pixel."""
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(size[::-1], frames.shape[1:3], strict=True)
    )
    return frames[:, rows[:, None], columns]
