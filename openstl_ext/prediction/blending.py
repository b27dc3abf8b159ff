"""Blend the predictions of overlapping tiles."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.window import Window

Sink = Callable[[Window, NDArray[np.float32]], None]


def bump(size: int) -> NDArray[np.float64]:
    """Compute a raised cosine over the pixels of a tile: small but positive at its edges.

    At the edge of a tile a net lacks half of the context of a pixel. A weight of 0 would leave the
    edge of the raster, which no other tile covers, without a prediction.
    """
    return np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2


def shares(starts: Sequence[int], size: int) -> dict[int, NDArray[np.float32]]:
    """Compute the weight of each tile along an axis at its pixels; the sum over tiles is 1.

    The weight of a pixel is the product of the weights of its row and column. Tiles form a grid,
    so the normalising sum is a product too and is known in advance.

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
    """Sum the predictions of tiles, and emit rows as soon as no later tile covers them.

    Only the rows of one tile are in memory, which grows with the width of the area but not with
    its height.

    Args:
        tiling: Positions of tiles; each that overlaps the area and has a wanted pixel must be
            added.
        area: The pixels to predict.
        num_channels: Number K of values per pixel.
        sink: Receives finished rows from top to bottom: their window in the raster and the values
            (K, rows, columns), NaN at pixels that are not wanted. The array is overwritten later.
        step: The number of emitted rows is a multiple of this, except at the end, so that a tiled
            file is written tile by tile.
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
        self.top = area.row  # row of the raster at sums[:, 0]

    def add(self, tile: Window, values: NDArray[np.float32], wanted: NDArray[np.bool_]) -> None:
        """Add the prediction of a tile that does not start above the previous one.

        Shape:
            - values: (K, size, size); wanted: (size, size), True at pixels of the map.
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
        """Emit the remaining rows."""
        self._release(self.area.row + self.area.height)

    def _release(self, row: int) -> None:
        """Emit the rows above ``row`` and shift the buffer."""
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
            for kept in range(
                count, held
            ):  # row by row, because an overlapping copy needs a temporary array
                self.sums[:, kept - count] = self.sums[:, kept]
                self.wanted[kept - count] = self.wanted[kept]
            self.sums[:, held - count :] = 0.0
            self.wanted[held - count :] = False
            self.top += count
