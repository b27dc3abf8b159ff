"""Draw one sample of a dataset: its input and target frames, without a forecast."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Colormap, Normalize

from openstl_ext.visualization.channel_rows import MOST_CHANNELS, Array
from openstl_ext.visualization.grid import (
    GAP,
    GUTTER,
    HEADING,
    LABEL,
    LINE,
    MARGIN,
    Layout,
    shown_steps,
    step_label,
    step_unit,
)
from openstl_ext.visualization.legend import headline
from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.scales import colormaps, declared, shared
from openstl_ext.visualization.style import FAINT

MOST_COLUMNS = 10
COLOURS = ("red", "green", "blue")


def draw_sequence(
    frames: Array,
    num_inputs: int,
    *,
    title: str,
    sample: str,
    channels: Sequence[str],
    units: Sequence[str],
    lead: Sequence[object] = (),
    colormap: str = "viridis",
) -> Page:
    """Draw the frames of a sample, with a row of inputs and a row of targets for each channel.

    Each channel has one scale: the range that its unit states, or that of its values. Red, green
    and blue are drawn as colours.

    Args:
        frames: Frames (T + T', C, H, W) in data units; NaN where missing.
        num_inputs: Number of input frames T.
        title: Name of the data.
        sample: Name of the sample.
        channels: Name of each channel; those after the twelfth are left out.
        units: Unit of each channel.
        lead: Length of a time step and its unit.
        colormap: Name of matplotlib's colormap.
    """
    past = shown_steps(num_inputs, MOST_COLUMNS)
    future = shown_steps(len(frames) - num_inputs, MOST_COLUMNS)
    height, width = frames.shape[-2:]
    layout = Layout.fit(height, width, max(len(past), len(future)))
    drawn: list[int | list[int]] = list(range(min(frames.shape[1], MOST_CHANNELS)))
    if is_rgb := sorted(channels) == sorted(COLOURS) and bool(np.isfinite(frames).all()):
        drawn = [[list(channels).index(colour) for colour in COLOURS]]
    room = HEADING + 2 * (LABEL + layout.panel[1]) + GAP
    page = Page(layout.width, MARGIN + HEADING + len(drawn) * room + LINE + MARGIN)
    headline(page, sample, title, MARGIN)
    values, _, missing = colormaps(colormap)
    for place, number in enumerate(drawn):
        shown = frames[:, number] if not is_rgb else np.moveaxis(frames[:, number], 1, -1)
        rows = shown[:num_inputs], shown[num_inputs:]
        top = MARGIN + HEADING + place * room
        name, unit = ("RGB", units[0]) if is_rgb else (channels[number], units[number])  # type: ignore[index]
        norm = declared(unit) or shared(*rows)
        page.text(MARGIN, top + LINE / 2, name, align="left", weight="bold")
        top += HEADING
        for name, row, steps, first in zip(
            ("inputs", "targets"), rows, (past, future), (1 - num_inputs, 1), strict=True
        ):
            labels = [step_label(step + first, lead) for step in steps]
            _draw_row(page, layout, top, name, row[steps], labels, (values, norm))
            top += LABEL + layout.panel[1]
        left = MARGIN + GUTTER + layout.columns * layout.pitch + 2 * GAP
        box = (left, top - LABEL - 2 * layout.panel[1], 14, LABEL + 2 * layout.panel[1])
        if not is_rgb:
            page.colorbar(box, cmap=values, norm=norm, label="" if unit == "1" else unit)
    _draw_notes(page, frames, missing, (past, future), num_inputs, step_unit(lead))
    return page


def _draw_row(
    page: Page,
    layout: Layout,
    top: int,
    name: str,
    row: Array,
    labels: Sequence[str],
    scale: tuple[Colormap, Normalize],
) -> None:
    """Draw frames with their times above."""
    middle = top + LABEL + layout.panel[1] / 2
    page.text(MARGIN + GUTTER - 12, middle, name, align="right", size=8)
    for column, (frame, label) in enumerate(zip(row, labels, strict=True)):
        page.text(layout.middle(column), top + 0.57 * LABEL, label, size=6.5, color=FAINT)
        box = layout.box(column, top + LABEL)
        if frame.ndim == 3:
            page.image(np.clip(np.asarray(scale[1](frame)), 0, 1), box)
        else:
            page.image(frame, box, cmap=scale[0], norm=scale[1])


def _draw_notes(
    page: Page,
    frames: Array,
    missing: str,
    steps: tuple[list[int], list[int]],
    num_inputs: int,
    unit: str,
) -> None:
    """Draw the colour of missing data, the unit of time, and what is left out."""
    middle, left = page.height - MARGIN, MARGIN + GUTTER
    if not np.isfinite(frames).all():
        page.frame((left, middle - 6, 12, 12), fill=missing)
        page.text(left + 20, middle, "no data", align="left", size=6.5, color=FAINT)
        left += 20 + text_width("no data", 6.5) + 30
    notes = [] if unit == "frame" else [f"times in {unit}"]
    for chosen, count, name in zip(
        steps, (num_inputs, len(frames) - num_inputs), ("inputs", "targets"), strict=True
    ):
        if len(chosen) < count:
            notes.append(f"{len(chosen)} of {count} {name} are shown")
    if frames.shape[1] > MOST_CHANNELS:
        notes.append(f"{MOST_CHANNELS} of {frames.shape[1]} channels are shown")
    page.text(left, middle, "; ".join(notes), align="left", size=6.5, color=FAINT)
