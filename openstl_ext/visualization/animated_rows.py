"""Panels of an animation: truth, forecasts and differences, or images and label maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.colors import Colormap, Normalize, to_rgb

from openstl_ext.errors import UserError
from openstl_ext.visualization.channel_rows import (
    Array,
    ChannelRows,
    channel_names,
    channel_rows,
)
from openstl_ext.visualization.compared import Compared
from openstl_ext.visualization.grid import MINUS, step_label, step_unit
from openstl_ext.visualization.label_maps import class_names, label_maps
from openstl_ext.visualization.legend import Entry
from openstl_ext.visualization.palette import Pixels
from openstl_ext.visualization.rgb_composite import HIGH, LOW, rgb_composites
from openstl_ext.visualization.saved import SavedLabels
from openstl_ext.visualization.scales import centred, colormaps, rgb_bytes, shared
from openstl_ext.visualization.segmentation import step_name
from openstl_ext.visualization.style import EMPTY, NO_DATA, VALUES

LEVELS, SIGNED = 100, 61
"""Colours of the values, and of the differences, whose middle one is white."""


@dataclass(frozen=True)
class Panel:
    """One moving picture with its name: colours (F, H, W, 3) of F times."""

    name: str
    colors: Pixels


@dataclass(frozen=True)
class Scale:
    """A colormap of few colours, its range and its unit."""

    cmap: Colormap
    norm: Normalize
    label: str

    @property
    def colors(self) -> Pixels:
        """All colours, (N, 3)."""
        return rgb_bytes(self.cmap(np.arange(self.cmap.N)))

    def paint(self, values: Array) -> Pixels:
        """Return the colours of values (F, H, W); NaN has the colour of missing data."""
        return rgb_bytes(self.cmap(self.norm(np.ma.masked_invalid(values))))


@dataclass(frozen=True)
class Row:
    """Panels side by side that share their scales."""

    name: str
    panels: tuple[Panel, ...]
    scales: tuple[Scale, ...]
    legend: tuple[Entry, ...]


def rows_of(
    compared: Compared,
    *,
    picked: Sequence[str] = (),
    rgb: bool = False,
    interest: str | None = None,
    colormap: str | None = None,
    named: bool = False,
) -> list[Row]:
    """Return a row of panels for each channel of frames, or one of label maps.

    Args:
        compared: One sample of one or several methods.
        picked: Names or numbers of the channels.
        rgb: Show three channels as colours.
        interest: Of labels, the class to draw against all others.
        colormap: Name of matplotlib's colormap of the values.
        named: Whether each row has the name of the sample.

    Raises:
        UserError: If a channel, class or colormap does not exist.
    """
    if isinstance(compared.first, SavedLabels):
        rows = [_label_row(compared, picked, interest)]
    else:
        rows = _frame_rows(compared, picked, rgb=rgb, colormap=colormap or VALUES)
    sample = compared.first.name
    return [replace(r, name=f"{sample} {r.name}".strip() if named else r.name) for r in rows]


def _frame_rows(
    compared: Compared, picked: Sequence[str], *, rgb: bool, colormap: str
) -> list[Row]:
    frames, about = compared.frames, compared.about
    names = channel_names(about, next(iter(frames.values())).forecast.shape[1])
    channels = [channel_rows(s, names, picked=picked, rgb=rgb) for s in frames.values()]
    values, signed, missing = colormaps(colormap)
    maps = values.resampled(LEVELS), signed.resampled(SIGNED), missing
    rows = [_frame_row(r, list(frames), about, maps) for r in zip(*channels, strict=True)]
    return rows if len(rows) > 1 else [replace(rows[0], name="")]


def clocks_of(compared: Compared) -> list[str]:
    """Return words for each time of a sample, such as ``t+1, forecast``."""
    about, first = compared.about, compared.first
    if isinstance(first, SavedLabels):
        number = len(first.inputs)
        return [step_name(about, step, number) for step in range(number)]
    lead, past = about.get("lead") or (), len(first.inputs)
    unit = "" if step_unit(lead) == "frame" else f" {step_unit(lead)}"
    return [
        f"{step_label(step, lead)}{unit}, {'input' if step <= 0 else 'forecast'}"
        for step in range(1 - past, len(first.target) + 1)
    ]


def _frame_row(
    rows: Sequence[ChannelRows],
    methods: Sequence[str],
    about: Mapping[str, Any],
    maps: tuple[Colormap, Colormap, str],
) -> Row:
    """Return the truth, and the forecast and the difference of each method."""
    first, unit = rows[0], str(about.get("unit") or "1")
    missing = maps[2]
    norm = shared(first.inputs, first.target, *(row.forecast for row in rows))
    scale = Scale(maps[0], norm, "" if unit == "1" else unit)
    signed = Scale(maps[1], centred(np.stack([row.difference for row in rows])), "")

    def painted(frames: Array) -> Pixels:
        if not first.is_rgb:
            return scale.paint(frames)
        known = np.isfinite(frames).all(axis=-1, keepdims=True)
        return rgb_bytes(np.where(known, np.clip(norm(frames), 0, 1), to_rgb(missing)))

    past = painted(first.inputs)
    blank = np.broadcast_to(rgb_bytes(EMPTY), (*past.shape[:3], 3))
    panels = [Panel("truth", np.concatenate([past, painted(first.target)]))]
    for method, row in zip(methods, rows, strict=True):
        name = method if len(methods) > 1 else "forecast"
        panels.append(Panel(name, np.concatenate([past, painted(row.forecast)])))
        panels.append(Panel("difference", np.concatenate([blank, signed.paint(row.difference)])))
    return Row(
        name=first.name,
        panels=tuple(panels),
        scales=(signed,) if first.is_rgb else (scale, signed),
        legend=((missing, "no data"),) if any(row.has_gaps for row in rows) else (),
    )


def _label_row(compared: Compared, picked: Sequence[str], interest: str | None) -> Row:
    """Return the images, the target map and the map of each method."""
    about, first = compared.about, compared.first
    images, bands = rgb_composites(
        first.inputs, channel_names(about, first.inputs.shape[1]), picked
    )
    panels = [Panel(", ".join(bands), _painted(images))]
    entries: dict[str, str] = {}
    for method, sample in compared.methods.items():
        if not isinstance(sample, SavedLabels):
            raise UserError(f"{method} predicts frames, the first method labels")
        classes = class_names(about, len(sample.probability))
        maps = label_maps(sample, images[-1], classes, interest)
        entries |= {words.rpartition(": ")[0]: color for color, words in maps.entries}
        if len(panels) == 1:
            panels.append(Panel("target", _still(maps.target, len(images))))
        name = method if len(compared.methods) > 1 else "prediction"
        panels.append(Panel(name, _still(maps.prediction, len(images))))
    legend = [(color, words) for words, color in entries.items()]
    legend += [(NO_DATA, "no data")] if np.isnan(images).any() else []
    return Row(name="", panels=tuple(panels), scales=(), legend=tuple(legend))


def notes_of(compared: Compared, samples: Sequence[str], *, synthetic: bool) -> str:
    """Return what a reader needs to know beside the panels: samples, stretch, kind of data."""
    notes = [f"sample {samples[0]}" if len(samples) == 1 else f"{len(samples)} samples"]
    if isinstance(compared.first, SavedLabels):
        notes.append(f"images: percentiles {LOW} to {HIGH} of each band, the same in all images")
    else:
        notes.append(f"difference: forecast {MINUS} truth")
    return "; ".join([*notes, *(["synthetic data"] if synthetic else [])])


def _painted(images: Array) -> Pixels:
    return rgb_bytes(np.where(np.isnan(images), to_rgb(NO_DATA), images))


def _still(image: Array, number: int) -> Pixels:
    return np.repeat(_painted(image)[None], number, axis=0)
