"""Draw samples of a dataset: input and target frames of each channel, or images and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Normalize, to_rgb
from numpy.typing import NDArray

from openstl_ext.visualization.channel_rows import Array
from openstl_ext.visualization.error_map import class_color
from openstl_ext.visualization.grid import shown_steps, step_unit
from openstl_ext.visualization.legend import Legend, panel_size
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.rgb_composite import HIGH, LOW, rgb_composites
from openstl_ext.visualization.scales import declared, shared, with_missing
from openstl_ext.visualization.style import FAINT, UNKNOWN

MARGIN, TITLE, HEADING, LABELS, GAP = 28, 62, 34, 22, 8
SCALE, BAR, BETWEEN = 110, 14, 16  # colour bar with its numbers, its width, inputs and targets
MOST_COLUMNS, MOST_ROWS, LEAST_ROWS = 12, 12, 3
LEAST_WIDTH, LEAST_PITCH = 900, 60
COLORMAP = "viridis"
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class SampleView:
    """One sample as arrays, NaN where data are missing.

    Args:
        split: Its split.
        name: Its id.
        inputs: Input frames, for example of one or several dates.
        target: Target frames; None where the target is a label.
        labels: Class of each pixel, -1 where there is none; None without a map.
        words: Classes of the entire sample, in words; empty without.

    Shape:
        - inputs: (T, C, H, W); target: (T', C', H, W); labels: (H, W).
    """

    split: str
    name: str
    inputs: Array
    target: Array | None = None
    labels: NDArray[np.int64] | None = None
    words: str = ""


@dataclass(frozen=True)
class _Row:
    """One line of frames: a channel, or three bands as colours."""

    name: str
    unit: str
    frames: list[Array]
    steps: list[str]
    num_inputs: int
    norm: Normalize | None


def draw_samples(
    samples: Sequence[SampleView],
    *,
    title: str,
    subtitle: str = "",
    channels: Sequence[str] = (),
    units: Sequence[str] = (),
    lead: Sequence[Any] = (),
    classes: Sequence[str] = (),
    future: str = "target",
) -> Page:
    """Draw samples below each other; frames of a channel have one scale in all samples.

    A dataset with labels is drawn as images in three colours beside the label map. Channels named
    red, green and blue are one row of colours, on the scale that their unit states. Any others
    have a row each: twelve of one sample, at least three of several. Of many frames, twelve evenly
    spread ones are drawn. The second line states what is left out.

    Args:
        samples: The samples.
        title: First line.
        subtitle: Beginning of the second line.
        channels: Name of each channel.
        units: Unit of each channel; empty if they are not known.
        lead: Length of a time step and its unit, such as ``(30, "min")``.
        classes: Name of each class.
        future: What the frames after the inputs are called.
    """
    has_labels = any(sample.target is None for sample in samples)
    cmap, missing = with_missing(COLORMAP)
    drawn = _drawn(samples, channels, units)
    blocks = [
        _composite(s, channels) if has_labels else [_row(s, samples, d, future) for d in drawn]
        for s in samples
    ]
    height, width = samples[0].inputs.shape[-2:]
    columns = max(len(row.frames) for rows in blocks for row in rows)
    columns += any(sample.labels is not None for sample in samples)
    panel = panel_size(height, width, min(240, max(84, 1400 // columns)))
    pitch = max(panel[0] + GAP, LEAST_PITCH)
    left = MARGIN + max(text_width(row.name, 7) for rows in blocks for row in rows) + 14
    tops, top = [], MARGIN + TITLE
    for rows in blocks:
        tops.append(top)
        top += HEADING + len(rows) * (LABELS + panel[1] + GAP) + 2 * GAP
    page_width = max(left + columns * pitch + BETWEEN + SCALE + MARGIN, LEAST_WIDTH)
    room = page_width - 2 * MARGIN
    legend = Legend(tuple(_entries(samples, blocks, classes, missing)), room)
    page = Page(page_width, top + (legend.height + GAP if legend.entries else 0) + MARGIN // 2)
    notes = [subtitle, *_notes(samples, blocks, 0 if has_labels else len(drawn), lead, future)]
    second = "; ".join(note for note in notes if note)
    page.text(MARGIN, MARGIN, fitted(title, room, 9.5), align="left", size=9.5, weight="bold")
    page.text(MARGIN, MARGIN + 26, fitted(second, room, 7), align="left", size=7, color=FAINT)
    for sample, rows, block_top in zip(samples, blocks, tops, strict=True):
        words = f"{sample.split}: {sample.name}" + (f", {sample.words}" if sample.words else "")
        page.text(MARGIN, block_top + 10, fitted(words, room, 8), align="left", size=8)
        for number, row in enumerate(rows):
            row_top = block_top + HEADING + number * (LABELS + panel[1] + GAP)
            _draw_row(page, row, (left, row_top), (*panel, pitch), cmap, missing)
            if row.norm is not None:
                box = (left + columns * pitch + BETWEEN + GAP, row_top + LABELS, BAR, panel[1])
                page.colorbar(box, cmap=cmap, norm=row.norm, label=row.unit)
        if sample.labels is not None:
            column = left + len(rows[0].frames) * pitch + BETWEEN
            box = (column, block_top + HEADING + LABELS, *panel)
            page.text(column + panel[0] / 2, box[1] - LABELS / 2, "labels", size=6.5, color=FAINT)
            page.image(_colored(sample.labels), box)
    legend.draw(page, MARGIN, top)
    return page


@dataclass(frozen=True)
class _Drawn:
    """What one row shows: a channel, or three channels as colours."""

    name: str
    unit: str
    places: list[int]


def _drawn(
    samples: Sequence[SampleView], channels: Sequence[str], units: Sequence[str]
) -> list[_Drawn]:
    """Return the rows of a sample without labels."""
    count = samples[0].inputs.shape[1]
    names = list(channels) if len(channels) == count else [f"channel {c}" for c in range(count)]
    units = list(units) if len(units) == count else [""] * count
    arrays = [a for s in samples for a in (s.inputs, s.target) if a is not None]
    if sorted(names) == sorted(COLOURS) and all(np.isfinite(a).all() for a in arrays):
        return [_Drawn("RGB", units[0], [names.index(colour) for colour in COLOURS])]
    most = max(LEAST_ROWS, MOST_ROWS // len(samples))
    return [_Drawn(names[c], units[c], [c]) for c in range(min(count, most))]


def _row(
    sample: SampleView, samples: Sequence[SampleView], drawn: _Drawn, future_name: str
) -> _Row:
    """Return one row of frames, in which the targets follow the inputs if they are alike."""
    inputs = sample.inputs
    target = inputs[:0] if sample.target is None else sample.target
    alike = target.shape[1:] == inputs.shape[1:]
    past, future = _steps(len(inputs), len(target) if alike else 0)
    steps = [f"input {t + 1}" for t in past] + [f"{future_name} {t + 1}" for t in future]
    same = [s.inputs[:, drawn.places] for s in samples]
    same += [s.target[:, drawn.places] for s in samples if alike and s.target is not None]
    every = [inputs[t, drawn.places] for t in past] + [target[t, drawn.places] for t in future]
    unit = "" if drawn.unit == "1" else drawn.unit
    if len(drawn.places) == 1:
        frames = [frame[0] for frame in every]
        return _Row(drawn.name, unit, frames, steps, len(past), shared(*same))
    norm = declared(drawn.unit) or shared(*same)
    frames = [np.clip(np.asarray(norm(np.moveaxis(frame, 0, -1))), 0, 1) for frame in every]
    return _Row(drawn.name, unit, frames, steps, len(past), None)


def _steps(num_inputs: int, num_targets: int) -> tuple[list[int], list[int]]:
    """Return the inputs and targets to draw, twelve at most."""
    past = shown_steps(num_inputs, MOST_COLUMNS // 2 if num_targets else MOST_COLUMNS)
    return past, shown_steps(num_targets, MOST_COLUMNS - len(past)) if num_targets else []


def _entries(
    samples: Sequence[SampleView],
    blocks: Sequence[Sequence[_Row]],
    classes: Sequence[str],
    missing: str,
) -> list[tuple[str, str]]:
    """Return the colours and texts of the legend."""
    seen = sorted({int(k) for s in samples if s.labels is not None for k in np.unique(s.labels)})
    entries = [(class_color(k), _word(classes, k)) for k in seen if k >= 0]
    entries += [(UNKNOWN, "no label")] if -1 in seen else []
    if any(not np.isfinite(f).all() for rows in blocks for row in rows for f in row.frames):
        entries.append((missing, "no data"))
    return entries


def _notes(
    samples: Sequence[SampleView],
    blocks: Sequence[Sequence[_Row]],
    num_rows: int,
    lead: Sequence[Any],
    future: str,
) -> list[str]:
    """Return the length of a step, and what is left out."""
    notes = [] if step_unit(lead) == "frame" else [f"one step is {lead[0]:g} {lead[1]}"]
    row, sample = blocks[0][0], samples[0]
    pairs = [(row.num_inputs, len(sample.inputs), "inputs")]
    if sample.target is not None and (shown := len(row.frames) - row.num_inputs):
        pairs.append((shown, len(sample.target), f"{future}s"))
    if num_rows and row.name != "RGB":
        pairs.append((num_rows, sample.inputs.shape[1], "channels"))
    return notes + [f"{shown} of {count} {name}" for shown, count, name in pairs if shown < count]


def _composite(sample: SampleView, channels: Sequence[str]) -> list[_Row]:
    """Return one row of images in three colours."""
    count = sample.inputs.shape[1]
    names = list(channels) if len(channels) == count else [f"channel {c}" for c in range(count)]
    past, _ = _steps(len(sample.inputs), 1)
    images, bands = rgb_composites(sample.inputs, names)
    steps = [f"image {t + 1}" for t in past]
    name = ", ".join(bands)
    return [_Row(name, "", [images[t] for t in past], steps, len(past), None)]


def stretch_note() -> str:
    """Return how the colours of images are stretched, in words."""
    return f"colours: percentiles {LOW} to {HIGH} of each band"


def _draw_row(
    page: Page,
    row: _Row,
    corner: tuple[int, int],
    sizes: tuple[int, int, int],
    cmap: matplotlib.colors.Colormap,
    missing: str,
) -> None:
    left, top = corner
    width, height, pitch = sizes
    page.text(left - 10, top + LABELS + height / 2, row.name, align="right", size=7)
    for column, (frame, step) in enumerate(zip(row.frames, row.steps, strict=True)):
        at = left + column * pitch + (BETWEEN if column >= row.num_inputs else 0)
        page.text(at + width / 2, top + LABELS / 2, step, size=6, color=FAINT)
        box = (at, top + LABELS, width, height)
        if row.norm is None:
            known = np.isfinite(frame)
            page.image(np.where(known, frame, np.asarray(to_rgb(missing))), box)
        else:
            page.image(frame, box, cmap=cmap, norm=row.norm)


def _colored(labels: NDArray[np.int64]) -> Array:
    palette = np.array([to_rgb(class_color(k)) for k in range(max(labels.max() + 1, 1))])
    colors = palette[np.maximum(labels, 0)].astype(np.float32)
    colors[labels < 0] = to_rgb(UNKNOWN)
    return colors


def _word(classes: Sequence[str], index: int) -> str:
    return classes[index] if index < len(classes) else f"class {index}"
