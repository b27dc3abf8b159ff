"""Shared parts of pages: headline, panel size and legend."""

from dataclasses import dataclass

from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.style import FAINT

TITLE, SMALL = 9.5, 7.5
SWATCH, PADDING, APART = 12, 8, 26  # colour box, gap to its text, gap to the next entry
PITCH = 26  # distance between lines of a legend


def headline(page: Page, sample: str, config: str, margin: int) -> None:
    """Write the config at the left and the sample at the right, shortened to fit.

    The longer one is shortened first, so that each has at least about half of the line.
    """
    room = page.width - 2 * margin - 24
    name = f"sample {sample}"
    rest = room - min(text_width(name, SMALL), room // 2)
    config = fitted(config, rest, TITLE)
    name = fitted(name, room - text_width(config, TITLE), SMALL)
    middle = margin + 2
    page.text(margin, middle, config or name, align="left", size=TITLE, weight="bold")
    if config:
        page.text(page.width - margin, middle, name, align="right", color=FAINT)


def panel_size(height: int, width: int, target: int) -> tuple[int, int]:
    """Return the width and height of a panel: near a target size, a whole multiple if possible.

    Args:
        height: Rows of the array.
        width: Columns of the array.
        target: Wanted length of the longer side, in pixels.
    """
    longest = max(height, width)
    zoom = max(1.0, round(target / longest)) if longest <= 1.6 * target else target / longest
    return max(1, round(width * zoom)), max(1, round(height * zoom))


Entry = tuple[str, str]
"""A colour and its text."""


@dataclass(frozen=True)
class Legend:
    """Legend of colours, in one line if it fits, else in columns.

    Args:
        entries: Colours and texts, in order.
        room: Available width, in pixels.
    """

    entries: tuple[Entry, ...]
    room: int

    @property
    def height(self) -> int:
        """Height in pixels."""
        return PITCH * (max((row for row, _ in self.places()), default=0) + 1)

    def places(self) -> list[tuple[int, int]]:
        """Return the line and the left edge of each entry, relative to the legend."""
        widths = [SWATCH + PADDING + text_width(words, SMALL) + APART for _, words in self.entries]
        if sum(widths) - APART <= self.room:
            return [(0, sum(widths[:number])) for number in range(len(widths))]
        widest = max(widths)
        columns = max(1, (self.room + APART) // widest)
        cells = (divmod(number, columns) for number in range(len(widths)))
        return [(line, column * widest) for line, column in cells]

    def draw(self, page: Page, left: int, top: int) -> None:
        """Draw the legend with its upper left corner at a position."""
        for (color, words), (line, along) in zip(self.entries, self.places(), strict=True):
            middle = top + line * PITCH + PITCH // 2
            page.frame((left + along, middle - SWATCH // 2, SWATCH, SWATCH), fill=color)
            page.text(left + along + SWATCH + PADDING, middle, words, align="left", size=SMALL)
