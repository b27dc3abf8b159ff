"""How the answers of overlapping tiles become one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.window import Window

Sink = Callable[[Window, NDArray[np.float32]], None]


def bump(size: int) -> NDArray[np.float64]:
    """A raised cosine over the pixels of a tile: little trust at its border, but never none.

    A net sees half of what surrounds a pixel at the border of its tile. A weight of 0 there would
    leave the border of the raster, which no other tile covers, without an answer.
    """
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def shares(starts: Sequence[int], size: int) -> dict[int, NDArray[np.float32]]:
    """What each tile along an axis contributes to its pixels; over all tiles it adds up to 1.

    The weight of a pixel is the product of those of its row and its column, and tiles form a grid,
    so the sum by which one divides is such a product too, and known beforehand: nothing has to be
    summed but the answers.

    Args:
        starts: First pixel of each tile.
        size: Pixels of a tile.

    Shape:
        - each: (size,).
    """
    total = np.zeros(max(starts) + size)
    for start in starts:
        total[start : start + size] += bump(size)
    return {s: (bump(size) / total[s : s + size]).astype(np.float32) for s in starts}


class Blender:
    """Sum the answers of tiles, and pass rows on as soon as no later tile can touch them.

    Only as many rows as a tile has are held, so memory grows with the width of the area and not
    with its height.

    Args:
        tiling: Where tiles lie; all that touch the area have to come, but for those without a
            wanted pixel.
        area: The pixels to answer.
        num_channels: Number K of values at a pixel.
        sink: Receives finished rows from top to bottom, NaN where no answer is wanted: their
            window in the raster and the values (K, rows, columns), which are overwritten later.
        step: Rows are passed on in multiples of this, but for the last, so that a file made of
            blocks is written block by block.
    """

    def __init__(
        self, *, tiling: Tiling, area: Window, num_channels: int, sink: Sink, step: int = 1
    ) -> None:
        self.area, self.sink, self.step = area, sink, step
        self.row_shares = shares(tiling.rows, tiling.size)
        self.column_shares = shares(tiling.columns, tiling.size)
        held = min(tiling.size + step - 1, area.height)
        self.sums = np.zeros((num_channels, held, area.width), dtype=np.float32)
        self.wanted = np.zeros((held, area.width), dtype=bool)
        self.top = area.row  # the row of the raster that sums[:, 0] belongs to

    def add(self, tile: Window, values: NDArray[np.float32], wanted: NDArray[np.bool_]) -> None:
        """Take the answer of a tile that lies no higher than the one before it.

        Shape:
            - values: (K, size, size); wanted: (size, size), True where the map has an answer.
        """
        self._release(tile.row)
        part = tile.meet(self.area)
        if part is None:
            return
        here = Window(part.row - tile.row, part.column - tile.column, part.height, part.width)
        rows, columns = here.slices
        weights = np.outer(
            self.row_shares[tile.row][rows], self.column_shares[tile.column][columns]
        )
        there = Window(part.row - self.top, part.column - self.area.column, part.height, part.width)
        down, across = there.slices
        self.sums[:, down, across] += values[:, rows, columns] * weights
        self.wanted[down, across] |= wanted[rows, columns]

    def finish(self) -> None:
        """Pass on what is left."""
        self._release(self.area.row + self.area.height)

    def _release(self, row: int) -> None:
        """Pass on the rows above one, and make room below."""
        end = self.area.row + self.area.height
        if row < end:
            row -= (row - self.area.row) % self.step
        held, width = self.wanted.shape
        most = held // self.step * self.step or held
        while self.top < min(row, end):
            count = min(row - self.top, end - self.top, most)
            done, window = self.sums[:, :count], Window(self.top, self.area.column, count, width)
            np.copyto(done, np.nan, where=~self.wanted[:count])
            self.sink(window, done)
            for kept in range(count, held):  # row by row, for an overlapping copy needs a second
                self.sums[:, kept - count] = self.sums[:, kept]
                self.wanted[kept - count] = self.wanted[kept]
            self.sums[:, held - count :] = 0.0
            self.wanted[held - count :] = False
            self.top += count
