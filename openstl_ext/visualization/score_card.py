"""Draw a score card: a heat map of relative differences from a baseline."""

import math

import matplotlib
import numpy as np
from matplotlib.colors import Normalize

from openstl_ext.results.score_card import Cell, ScoreCard
from openstl_ext.visualization.grid import MINUS
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.style import DIVERGING, EMPTY, FAINT, INK

MARGIN, TITLE, HEADING, LEGEND = 28, 56, 32, 62  # edges, two lines, column names, colour bar
CELL, ROW = 96, 40  # width and height of a cell
BAR = 14
LIMIT = 1.0
"""Largest relative difference of the scale; larger ones have its end colours."""
LEAST = 0.02
"""Smallest end of the scale, so that rounding has no strong colours."""
LEAST_WIDTH = 640
MOST_WIDTH = 1600
"""Of a card that a long title makes wider."""
MOST = 999
"""Largest number of percent that is written."""
DARK = 0.62
"""Share of the scale beyond which a cell is dark, so that its text is white."""


def draw_score_card(card: ScoreCard) -> Page:
    """Draw a table of scores and leads; blue is better than the baseline, red worse.

    A difference that the paired test finds is bold with a star; others are grey.
    """
    changes = [abs(c.change) for row in card.cells for c in row if c and c.change is not None]
    limit = min(LIMIT, max([LEAST, *changes]))
    names = max(text_width(name, 8) for name in card.metrics) + 16
    right = MARGIN + names + CELL * len(card.columns)
    top = MARGIN + TITLE + HEADING
    bottom = top + ROW * len(card.metrics)
    words = min(text_width(card.title, 9.5) + 2 * MARGIN, MOST_WIDTH)
    page = Page(max(right + MARGIN, LEAST_WIDTH, words), bottom + LEGEND + MARGIN)
    room = page.width - 2 * MARGIN
    page.text(MARGIN, MARGIN, fitted(card.title, room, 9.5), align="left", size=9.5, weight="bold")
    page.text(MARGIN, MARGIN + 28, fitted(card.note, room, 7), align="left", size=7, color=FAINT)
    for column, name in enumerate(card.columns):
        page.text(MARGIN + names + (column + 0.5) * CELL, top - HEADING / 2, name, size=7.5)
    for row, (name, cells) in enumerate(zip(card.metrics, card.cells, strict=True)):
        middle = top + (row + 0.5) * ROW
        page.text(MARGIN + names - 12, middle, name, align="right", size=8)
        for column, cell in enumerate(cells):
            box = (MARGIN + names + column * CELL, top + row * ROW, CELL, ROW)
            _draw(page, box, cell, limit)
    _legend(page, MARGIN + names, bottom, limit, card)
    return page


def color_of(cell: Cell | None, limit: float) -> str:
    """Return the colour of a cell: blue for better, red for worse, grey without a direction."""
    if cell is None or cell.change is None or not cell.sign:
        return EMPTY
    gain = cell.sign * cell.change / limit
    color = matplotlib.colormaps[DIVERGING](Normalize(-1, 1)(np.clip(-gain, -1, 1)))
    return str(matplotlib.colors.to_hex(color))


def _draw(page: Page, box: tuple[int, int, int, int], cell: Cell | None, limit: float) -> None:
    page.frame(box, fill=color_of(cell, limit), edge="white")
    left, top, width, height = box
    place = left + width / 2, top + height / 2
    if cell is None:
        return
    if cell.change is None:
        page.text(*place, "n/a", size=7, color=FAINT)
        return
    found = cell.verdict != "tied"
    is_dark = bool(cell.sign) and abs(cell.change) > DARK * limit
    color = "white" if is_dark else INK if found else FAINT
    words = f"{percent(cell.change)}{' *' if found else ''}"
    page.text(*place, words, size=7.5, color=color, weight="bold" if found else "normal")


def percent(change: float) -> str:
    """Return a relative difference in percent with its sign, as in ``+3.2 %``."""
    value = 100 * change
    if abs(value) > MOST:
        return f"{'+' if value > 0 else MINUS}>{MOST} %"
    digits = 1 if abs(value) < 99.95 else 0
    rounded = round(value, digits)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{abs(rounded):.{digits}f} %"


def _legend(page: Page, left: int, top: int, limit: float, card: ScoreCard) -> None:
    """Draw the colours with their meaning."""
    steps, width = 41, 6
    for step in range(steps):
        change = limit * (2 * step / (steps - 1) - 1)
        fill = color_of(Cell(change, 1, "tied"), limit)
        page.frame((left + step * width, top + 18, width, BAR), fill=fill, edge=fill)
    end = left + steps * width
    page.text(left, top + 44, f"worse by {percent(limit)[1:]}", align="left", size=6.5, color=FAINT)
    page.text(
        end, top + 44, f"better by {percent(limit)[1:]}", align="right", size=6.5, color=FAINT
    )
    words = "* different beyond chance: corrected p at most 0.05"
    if math.isclose(limit, LIMIT):
        words += "; larger differences have the end colours"
    if card.left_out:
        words += f"; not compared: {', '.join(card.left_out)}"
    room = page.width - MARGIN - end - 24
    if text_width(words, 6.5) <= room:
        page.text(end + 24, top + 25, words, align="left", size=6.5, color=FAINT)
    else:
        words = fitted(words, page.width - 2 * MARGIN, 6.5)
        page.text(MARGIN, top + LEGEND + 8, words, align="left", size=6.5, color=FAINT)
