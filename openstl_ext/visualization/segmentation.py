"""Draw a label map: images, target, prediction and probability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, Normalize, to_rgb

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.channel_rows import channel_names
from openstl_ext.visualization.label_maps import LabelMaps, class_names, label_maps
from openstl_ext.visualization.legend import PITCH, SMALL, Legend, headline, panel_size
from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.rgb_composite import HIGH, LOW, Array, rgb_composites
from openstl_ext.visualization.saved import SavedLabels
from openstl_ext.visualization.style import FAINT, NO_DATA

MARGIN, TITLE, HEADING, GAP = 28, 40, 34, 20  # edges, first line, panel names, between panels
NOTE, BAR, SCALE = 30, 16, 62  # a line of text, colour bar, colour bar with its numbers
PANEL, LEAST_WIDTH = 340, 820  # approximate longer side of a panel; room for the text
COLORMAP = "cividis"


@dataclass(frozen=True)
class Layout:
    """Sizes of a page in pixels: two rows of three panels.

    Args:
        panel: Width and height of a panel.
    """

    panel: tuple[int, int]

    @property
    def pitch(self) -> int:
        """Distance between panels."""
        least = (LEAST_WIDTH - 2 * MARGIN - SCALE) // 3
        return max(self.panel[0] + GAP, least)

    @property
    def width(self) -> int:
        """Width of the page."""
        return self.right + SCALE + MARGIN

    @property
    def right(self) -> int:
        """Right edge of the columns."""
        return MARGIN + 3 * self.pitch - GAP

    @property
    def note(self) -> int:
        """Vertical middle of the text between the rows."""
        return MARGIN + TITLE + HEADING + self.panel[1] + NOTE // 2

    @property
    def bottom(self) -> int:
        """Lower edge of the second row."""
        return self.box(1, 0)[1] + self.panel[1]

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return the box of a panel, centred in its column."""
        left = MARGIN + column * self.pitch + (self.pitch - GAP - self.panel[0]) // 2
        top = MARGIN + TITLE + HEADING + row * (self.panel[1] + NOTE + HEADING)
        return (left, top, *self.panel)


def draw_segmentation(
    sample: SavedLabels,
    about: Mapping[str, Any] | None = None,
    *,
    bands: Sequence[str] = (),
    interest: str | None = None,
    colormap: str = COLORMAP,
) -> Page:
    """Draw a sample: first, middle and last image; target, prediction and probability.

    The second of two classes is drawn against the first on the last image: found, false alarm,
    missed. Of more classes, all are drawn unless one is named.

    Args:
        sample: The saved sample.
        about: Facts of the dataset: ``channels``, ``classes``, ``years``, ``config``.
        bands: Three bands to show as RGB, by name or number, or one.
        interest: Class to draw against all others, by name or number.
        colormap: Name of matplotlib's colormap of the probability.

    Raises:
        UserError: If a band, a class or a colormap does not exist.
    """
    about = about or {}
    if colormap not in matplotlib.colormaps:
        ours = [known for known in matplotlib.colormaps if not known.endswith("_r")]
        raise UserError(f"there is no colormap {colormap!r}; {nearest(colormap, ours)}")
    names = channel_names(about, sample.inputs.shape[1])
    images, shown = rgb_composites(sample.inputs, names, bands)
    classes = class_names(about, len(sample.probability))
    maps = label_maps(sample, images[-1], classes, interest)
    height, width = sample.target.shape
    layout = Layout(panel_size(height, width, PANEL))
    room = layout.right - MARGIN - text_width(maps.score, SMALL)
    legend = Legend(tuple(maps.entries), room)
    page = Page(layout.width, layout.bottom + GAP // 2 + legend.height + MARGIN)
    headline(page, sample.name, str(about.get("config") or ""), MARGIN)
    _images(page, layout, images, about)
    _words(page, layout, shown, gaps=bool(np.isnan(images).any()))
    _maps(page, layout, maps, matplotlib.colormaps[colormap])
    legend.draw(page, MARGIN, layout.bottom + GAP // 2)
    page.text(layout.right, layout.bottom + GAP // 2 + PITCH // 2, maps.score, align="right")
    return page


def shown_steps(length: int) -> list[int]:
    """Return the first, the middle and the last index, without repetition."""
    return sorted({0, (length - 1) // 2, length - 1})


def step_name(about: Mapping[str, Any], step: int, length: int) -> str:
    """Return the year of an image, or its number where the years are unknown."""
    years = list(about.get("years") or ())
    return str(years[step]) if len(years) == length else f"image {step + 1} of {length}"


def _images(page: Page, layout: Layout, images: Array, about: Mapping[str, Any]) -> None:
    for column, step in enumerate(shown_steps(len(images))):
        _panel(page, layout.box(0, column), step_name(about, step, len(images)), images[step])


def _words(page: Page, layout: Layout, bands: Sequence[str], *, gaps: bool) -> None:
    """Write the bands of the images and their stretch."""
    words = f"{', '.join(bands)}: percentiles {LOW} to {HIGH} of each, the same in all images"
    page.text(MARGIN, layout.note, words, align="left", size=6.5, color=FAINT)
    if gaps:
        left = layout.right - text_width("no data", 6.5)
        page.frame((left - 20, layout.note - 6, 12, 12), fill=NO_DATA)
        page.text(left, layout.note, "no data", align="left", size=6.5, color=FAINT)


def _maps(page: Page, layout: Layout, maps: LabelMaps, cmap: Colormap) -> None:
    _panel(page, layout.box(1, 0), "target", maps.target)
    _panel(page, layout.box(1, 1), "prediction", maps.prediction)
    box, norm = layout.box(1, 2), Normalize(0, 1)
    _name(page, box, f"probability of {maps.probability_of}")
    page.image(maps.probability, box, cmap=cmap, norm=norm)
    bar = (box[0] + box[2] + GAP // 2, box[1], BAR, box[3])
    page.colorbar(bar, cmap=cmap, norm=norm, label="")


def _panel(page: Page, box: tuple[int, int, int, int], name: str, colors: Array) -> None:
    _name(page, box, name)
    page.image(np.where(np.isnan(colors), to_rgb(NO_DATA), colors), box)


def _name(page: Page, box: tuple[int, int, int, int], name: str) -> None:
    page.text(box[0] + box[2] / 2, box[1] - HEADING * 0.42, name, size=8.5)
