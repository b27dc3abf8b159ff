"""Draw what a masked autoencoder reconstructs: input, masked input and reconstruction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from openstl_ext.visualization.legend import panel_size
from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.rgb_composite import HIGH, LOW, Array
from openstl_ext.visualization.style import FAINT, NO_DATA

COLUMNS = ("input", "masked", "reconstruction")
MARGIN, TITLE, HEADING = 28, 40, 50  # edges, first line, names of a block
GAP, APART, PANEL = 8, 30, 190  # between panels, between samples, longer side of a panel
PER_LINE = 3
"""Samples side by side."""
HIDDEN = "#8c8c8c"
NOTE = f"percentiles {LOW} to {HIGH} of the input in all panels; visible patches as in the input"
RGB = ("red", "green", "blue")
FAMILIES = {
    "red_edge": "red edge",
    "near_infrared": "near infrared",
    "short_wave_infrared": "short-wave infrared",
    "thermal_infrared": "thermal infrared",
    "microwave": "radar",
}
"""Groups of one band each, by the beginning of the band's name in the spectrum."""


@dataclass(frozen=True)
class Reconstruction:
    """One image and its reconstruction, both normalised.

    Args:
        name: Name of the sample.
        frames: The image; NaN where there is no data, or a channel is absent.
        mask: True at hidden patches, row by row from the upper left corner.
        reconstruction: Predicted values of all patches.

    Shape:
        - frames, reconstruction: (C, H, W); mask: (N,).

    Raises:
        ValueError: If the shapes differ, or N square patches do not cover the image.
    """

    name: str
    frames: Array
    mask: NDArray[np.bool_]
    reconstruction: Array

    def __post_init__(self) -> None:
        height, width = self.frames.shape[-2:]
        patch = math.isqrt(height * width // max(len(self.mask), 1))
        fits = patch and not height % patch and not width % patch
        if self.frames.shape != self.reconstruction.shape or not fits:
            shapes = f"{self.frames.shape}, {self.mask.shape}, {self.reconstruction.shape}"
            raise ValueError(f"frames, mask and reconstruction do not fit: {shapes}")
        if height * width != len(self.mask) * patch**2:
            raise ValueError(
                f"{len(self.mask)} square patches do not cover {height} x {width} pixels"
            )

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Hidden pixels, (H, W)."""
        height, width = self.frames.shape[-2:]
        patch = math.isqrt(height * width // len(self.mask))
        grid = self.mask.reshape(height // patch, width // patch)
        return grid.repeat(patch, axis=0).repeat(patch, axis=1)


def band_groups(names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return groups of channels to draw: an RGB composite, then the first band of each family.

    Channels of no known family are drawn only if there is no group at all.

    Args:
        names: Name of each channel in the spectrum, such as ``red_2`` or ``near_infrared_1``.
    """
    groups: dict[str, tuple[int, ...]] = {}
    colours = [next((i for i, n in enumerate(names) if _is_colour(n, c)), None) for c in RGB]
    known = tuple(i for i in colours if i is not None)
    if len(known) == len(RGB):
        groups["RGB"] = known
    for family, words in FAMILIES.items():
        first = next((i for i, name in enumerate(names) if name.startswith(family)), None)
        if first is not None:
            groups[words] = (first,)
    return groups or {names[0]: (0,)}


def _is_colour(name: str, colour: str) -> bool:
    return name.startswith(colour) and not name.startswith("red_edge")


def reconstruction_panel(
    samples: Sequence[Reconstruction],
    groups: Mapping[str, Sequence[int]],
    *,
    title: str = "",
    note: str = "",
) -> Page:
    """Draw samples side by side, a row per group of bands and three panels per row.

    Input and reconstruction have one stretch, that of the input. Visible patches are drawn as they
    were given: a net is not trained to reconstruct them.

    Args:
        samples: Images of the same size and bands.
        groups: Three channels to show as RGB, or one in grey, by the name of the group.
        title: First line.
        note: What the last line adds, such as values that were taken from the input.

    Raises:
        ValueError: If a group has neither one nor three channels.
    """
    if odd := [name for name, channels in groups.items() if len(channels) not in (1, 3)]:
        raise ValueError(f"the group {odd[0]!r} needs one or three channels")
    image_height, image_width = samples[0].frames.shape[-2:]
    width, height = panel_size(image_height, image_width, PANEL)
    names = max(text_width(name, 7.5) for name in groups) + GAP
    block = 3 * width + 2 * GAP
    columns = min(PER_LINE, len(samples))
    tall = HEADING + len(groups) * (height + GAP) + APART
    lines = -(-len(samples) // PER_LINE)
    note = "; ".join(filter(None, (NOTE, note)))
    full = names + columns * (block + APART) - APART
    page = Page(2 * MARGIN + max(full, text_width(note, 6.5)), 2 * MARGIN + TITLE + lines * tall)
    page.text(MARGIN, MARGIN, title or "reconstruction", align="left", size=9.5, weight="bold")
    for number, sample in enumerate(samples):
        line, column = divmod(number, PER_LINE)
        left = MARGIN + names + column * (block + APART)
        top = MARGIN + TITLE + line * tall
        _block(page, sample, groups, (left, top, width, height))
        if not column:
            for row, name in enumerate(groups):
                middle = top + HEADING + row * (height + GAP) + height / 2
                page.text(MARGIN, middle, name, align="left", size=7.5)
    page.text(MARGIN, page.height - MARGIN, note, align="left", size=6.5, color=FAINT)
    return page


def _block(
    page: Page,
    sample: Reconstruction,
    groups: Mapping[str, Sequence[int]],
    box: tuple[int, int, int, int],
) -> None:
    """Draw all groups of one sample; the box is that of the first panel with its names above."""
    left, top, width, height = box
    centre = left + (3 * width + 2 * GAP) / 2
    share = f"{100 * sample.mask.mean():.0f} % hidden"
    page.text(centre, top + 10, f"{sample.name}, {share}", size=7, color=FAINT)
    for column, name in enumerate(COLUMNS):
        page.text(left + column * (width + GAP) + width / 2, top + 34, name, size=7.5)
    for row, channels in enumerate(groups.values()):
        panels = _panels(sample, channels)
        for column, colors in enumerate(panels):
            place = (
                left + column * (width + GAP),
                top + HEADING + row * (height + GAP),
                width,
                height,
            )
            page.image(colors, place)


def _panels(sample: Reconstruction, channels: Sequence[int]) -> list[Array]:
    """Return the three panels of a group, each (H, W, 3)."""
    given, predicted = (x[list(channels)] for x in (sample.frames, sample.reconstruction))
    limits = [_limits(band) for band in given]
    shown = [
        np.stack(
            [
                np.clip((v - low) / (high - low), 0, 1)
                for v, (low, high) in zip(x, limits, strict=True)
            ],
            -1,
        )
        for x in (given, predicted)
    ]
    image, answer = (np.broadcast_to(x, (*given.shape[1:], 3)).copy() for x in shown)
    masked = image.copy()
    masked[sample.hidden] = to_rgb(HIDDEN)
    answer[~sample.hidden] = image[~sample.hidden]
    for panel in (image, masked, answer):
        panel[np.isnan(given).any(axis=0) | np.isnan(panel).any(axis=-1)] = to_rgb(NO_DATA)
    return [image, masked, answer]


def _limits(band: Array) -> tuple[float, float]:
    """Return the values that become 0 and 1."""
    known = band[np.isfinite(band)]
    low, high = np.percentile(known, (LOW, HIGH)) if known.size else (0.0, 1.0)
    return float(low), float(high if high > low else low + 1)
