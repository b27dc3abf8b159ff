"""Draw how well each class is found, where samples have several labels each."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from openstl_ext.visualization.page import Page, text_width
from openstl_ext.visualization.style import EMPTY, FAINT, INK

Labels = NDArray[np.int64]

MARGIN, TITLE, HEADING, GAP = 28, 62, 30, 10
CELL, ROW = 110, 34  # width and height of a cell
BAR, SCALE = 16, 66  # colour bar, bar with its numbers
LEAST, TALLEST, NAME = 200, 400, 7  # heights of the colour bar; size of class names
DARK = 55  # score in percent from which the text of a cell is white
COLORMAP = "Blues"
COLUMNS = ("precision", "recall", "F1")
COUNTS = ("observed", "predicted")


def draw_label_scores(
    target: Labels, labels: Labels, classes: Sequence[str], *, title: str = ""
) -> Page:
    """Draw precision, recall and F1 of each class, with the numbers of labels.

    Args:
        target: 1 where a class is observed, below 0 where it is unknown.
        labels: 1 where a class is predicted.
        classes: Name of each class.
        title: First line.

    Shape:
        - target, labels: (N, K).
    """
    scores, counts = class_scores(target, labels)
    exact = ((target == labels) | (target < 0)).all(axis=1)
    heading = title or "labels"
    below = f"{len(target):,} samples; all labels correct in {100 * exact.mean():.1f} %"
    left = MARGIN + max(text_width(name, NAME) for name in classes) + GAP
    top, height = MARGIN + TITLE + HEADING, ROW * len(classes)
    table = (left, top, CELL * len(COLUMNS), height)
    right = left + CELL * len(COLUMNS + COUNTS)
    text = max(text_width(heading, 9.5), text_width(below, 7.5))
    width = max(right + GAP + BAR + SCALE, MARGIN + text)
    page = Page(width + MARGIN, top + max(height, LEAST) + MARGIN)
    page.text(MARGIN, MARGIN, heading, align="left", size=9.5, weight="bold")
    page.text(MARGIN, MARGIN + 28, below, align="left", color=FAINT)
    cmap = matplotlib.colormaps[COLORMAP].with_extremes(bad=EMPTY)
    page.image(scores, table, cmap=cmap, norm=Normalize(0, 100))
    for column, name in enumerate(COLUMNS + COUNTS):
        page.text(left + (column + 0.5) * CELL, top - HEADING / 2, name, size=7.5)
    for row, name in enumerate(classes):
        middle = top + (row + 0.5) * ROW
        page.text(left - GAP / 2, middle, name, align="right", size=NAME)
        cells = [("" if np.isnan(score) else f"{score:.1f}", _ink(score)) for score in scores[row]]
        cells += [(f"{number:,}", FAINT) for number in counts[row]]
        for column, (words, color) in enumerate(cells):
            page.text(left + (column + 0.5) * CELL, middle, words, size=NAME, color=color)
    bar = (right + GAP, top, BAR, min(max(height, LEAST), TALLEST))
    page.colorbar(bar, cmap=cmap, norm=Normalize(0, 100), label="score (%)")
    return page


def _ink(score: float) -> str:
    return "white" if score > DARK else INK


def class_scores(target: Labels, labels: Labels) -> tuple[NDArray[np.float64], Labels]:
    """Return precision, recall and F1 of each class in percent, and its numbers of labels.

    Shape:
        - target, labels: (N, K); returns: (K, 3), NaN where undefined, and (K, 2), observed and
          predicted.
    """
    known = target >= 0
    observed, predicted = (known & (x == 1) for x in (target, labels))
    counts = np.stack([observed.sum(axis=0), predicted.sum(axis=0)], axis=1)
    hits = (observed & predicted).sum(axis=0)
    below = np.stack([counts[:, 1], counts[:, 0], counts.sum(axis=1) / 2], axis=1)
    scores = np.full(below.shape, np.nan)
    np.divide(100.0 * hits[:, None], below, out=scores, where=below > 0)
    return scores, counts
