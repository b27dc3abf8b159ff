"""Draw a confusion matrix: which classes are predicted instead of which."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.style import EMPTY, FAINT, INK

Counts = NDArray[np.int64]

MARGIN, TITLE, SIDE, BAR, SCALE = 28, 62, 26, 16, 66
"""Edges, the two lines of text, an axis name, the colour bar, the bar with its numbers."""
HEADING, TEXT, NAME = 9.5, 7.5, 7  # sizes of letters
GAP = 10  # between names and cells
ROOM, LEAST = 1500, 400  # wanted side of the matrix of many and of few classes, in pixels
SMALLEST, LARGEST = 34, 66  # sides of a cell of many classes, in pixels
WITH_COUNTS = 52  # smallest cell with a share and a count
DARK = 55  # share in percent from which the text of a cell is white
COLORMAP = "Blues"


@dataclass(frozen=True)
class Layout:
    """Sizes of a page in pixels.

    Args:
        classes: Name of each class.
        total: Widest number of samples in a row.
        text: Width of the lines above the matrix.
    """

    classes: tuple[str, ...]
    total: str
    text: int

    @property
    def cell(self) -> int:
        """Side of a cell."""
        number = len(self.classes)
        return int(np.clip(ROOM // number, SMALLEST, max(LARGEST, LEAST // number)))

    @property
    def side(self) -> int:
        """Side of the matrix."""
        return self.cell * len(self.classes)

    @property
    def names(self) -> int:
        """Room for the longest class name."""
        return max(text_width(name, NAME) for name in self.classes) + GAP

    @property
    def upright(self) -> bool:
        """Whether the names of the columns are wider than these."""
        return self.names > self.cell

    @property
    def left(self) -> int:
        """Left edge of the matrix."""
        return MARGIN + SIDE + self.names

    @property
    def top(self) -> int:
        """Upper edge of the matrix."""
        return MARGIN + TITLE + SIDE + (self.names if self.upright else 3 * GAP)

    @property
    def right(self) -> int:
        """Right edge of the numbers of samples."""
        return self.left + self.side + GAP + text_width(self.total, NAME)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the page."""
        width = max(self.right + 2 * GAP + BAR + SCALE, MARGIN + self.text)
        return width + MARGIN, self.top + self.side + MARGIN


def draw_confusion(
    counts: Counts, classes: Sequence[str], *, title: str = "", unit: str = "samples"
) -> Page:
    """Draw a matrix of observed classes (rows) and predicted classes (columns).

    The colour and the first number of a cell are the share of its row in percent, so the diagonal
    is the recall. Below it is the count, where cells are large enough; the number at the end of a
    row is that of all its samples. Shares below half a percent are not written in small cells.

    Args:
        counts: How often each observed class was predicted as each class.
        classes: Name of each class.
        title: First line.
        unit: What is counted, ``samples`` or ``pixels``.

    Shape:
        - counts: (K, K).
    """
    observed = counts.sum(axis=1)
    shares = 100 * counts / np.maximum(observed, 1)[:, None]
    totals = [f"{number:,}" for number in observed]
    heading, below = title or "confusion matrix", summary(counts, unit)
    text = max(text_width(heading, HEADING), text_width(below, TEXT))
    layout = Layout(tuple(classes), max(totals, key=len), text)
    page = Page(*layout.size)
    page.text(MARGIN, MARGIN, heading, align="left", size=HEADING, weight="bold")
    page.text(MARGIN, MARGIN + 28, below, align="left", size=TEXT, color=FAINT)
    box = (layout.left, layout.top, layout.side, layout.side)
    cmap, norm = matplotlib.colormaps[COLORMAP].with_extremes(bad=EMPTY), Normalize(0, 100)
    page.image(np.where(observed[:, None] > 0, shares, np.nan), box, cmap=cmap, norm=norm)
    _names(page, layout, totals)
    for row, column in zip(*counts.nonzero(), strict=True):
        _cell(page, layout, (int(row), int(column)), int(counts[row, column]), shares[row, column])
    bar = (layout.right + 2 * GAP, layout.top, BAR, min(layout.side, 400))
    page.colorbar(bar, cmap=cmap, norm=norm, label="share of the observed class (%)")
    return page


def summary(counts: Counts, unit: str = "samples") -> str:
    """Return the number of samples, the overall and the average accuracy in words."""
    total, observed = int(counts.sum()), counts.sum(axis=1)
    if not total:
        return f"0 {unit}"
    known = observed > 0
    average = (counts.diagonal()[known] / observed[known]).mean()
    return (
        f"{total:,} {unit}; overall accuracy {100 * counts.trace() / total:.1f} %, average of "
        f"{int(known.sum())} observed classes {100 * average:.1f} %"
    )


def _names(page: Page, layout: Layout, totals: Sequence[str]) -> None:
    """Write the names of rows and columns and the number of samples of each row."""
    half = layout.side / 2
    page.text(MARGIN + 6, layout.top + half, "observed", color=FAINT, upright=True)
    page.text(layout.left + half, MARGIN + TITLE + 6, "predicted", color=FAINT)
    above = layout.top - GAP / 2
    page.text(layout.right, above, "n", align="right", vertical="bottom", size=NAME, color=FAINT)
    for number, name in enumerate(layout.classes):
        middle = (number + 0.5) * layout.cell
        page.text(layout.left - GAP / 2, layout.top + middle, name, align="right", size=NAME)
        page.text(
            layout.left + middle,
            above,
            name,
            size=NAME,
            vertical="bottom",
            upright=layout.upright,
        )
        page.text(
            layout.right,
            layout.top + middle,
            totals[number],
            align="right",
            size=NAME,
            color=FAINT,
        )


def _cell(page: Page, layout: Layout, place: tuple[int, int], count: int, share: float) -> None:
    """Write share and count of a cell."""
    row, column = place
    left, top = (
        start + (number + 0.5) * layout.cell
        for start, number in ((layout.left, column), (layout.top, row))
    )
    color = "white" if share > DARK else INK
    if layout.cell < WITH_COUNTS:
        if share >= 0.5:
            page.text(left, top, f"{share:.0f}", size=5.5, color=color)
        return
    page.text(left, top - 9, f"{share:.1f}", size=7, color=color)
    page.text(left, top + 12, f"{count:,}", size=5.5, color=color if share > DARK else FAINT)
