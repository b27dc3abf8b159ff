"""Allowed positions of chips, computed over blocks instead of pixels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Placement:
    """Top-left pixels of chips that lie in given blocks and at a distance from others.

    Rows of pixels whose chips cover the same rows of blocks are equivalent, so a few rows and
    columns per block suffice: memory grows with the number of blocks, not of pixels.

    Args:
        height: Rows of the raster, in pixels.
        width: Columns of the raster, in pixels.
        block_size: Side of a block, in pixels; the last ones may be cut off by the edge.
        own: Blocks in which every pixel of a chip must lie.
        foreign: Blocks to which a chip keeps a distance.
        chip: Height and width of a chip, in pixels.
        buffer: Least number of pixels between a chip and a foreign block, also across a corner.

    Shape:
        - own, foreign: (rows of blocks, columns of blocks), bool.
    """

    height: int
    width: int
    block_size: int
    own: np.ndarray
    foreign: np.ndarray
    chip: tuple[int, int]
    buffer: int

    def allowed(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return which pairs of a first row and a first column are allowed.

        Shape:
            - rows: (R,), columns: (C,); returns: (R, C), bool.
        """
        top, bottom = self._blocks(rows, self.chip[0], 0, self.height)
        left, right = self._blocks(columns, self.chip[1], 0, self.width)
        area = (bottom - top)[:, None] * (right - left)[None]
        good = _sums(self.own, top, bottom, left, right) == area
        top, bottom = self._blocks(rows, self.chip[0], self.buffer, self.height)
        left, right = self._blocks(columns, self.chip[1], self.buffer, self.width)
        good &= _sums(self.foreign, top, bottom, left, right) == 0
        good &= ((rows >= 0) & (rows + self.chip[0] <= self.height))[:, None]
        good &= ((columns >= 0) & (columns + self.chip[1] <= self.width))[None]
        return np.asarray(good)

    def _blocks(
        self, first: np.ndarray, size: int, margin: int, end: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the first block that pixels with a margin overlap, and the one after the last."""
        low = np.clip(first - margin, 0, end - 1) // self.block_size
        high = np.clip(first + size + margin, 1, end)
        return low, -(-high // self.block_size)

    def runs(self) -> "Runs":
        """Return all allowed top-left pixels, as rectangles."""
        rows = self._equivalent(self.height, self.chip[0])
        columns = self._equivalent(self.width, self.chip[1])
        good = self.allowed(rows[:-1], columns[:-1])
        areas = np.where(good, np.diff(rows)[:, None] * np.diff(columns)[None], 0)
        return Runs(rows, columns, np.cumsum(areas, dtype=np.int64))

    def _equivalent(self, end: int, size: int) -> np.ndarray:
        """Return the starts of runs of equivalent first pixels, and the end of the last run."""
        last = max(end - size + 1, 0)
        edges = np.arange(0, end + self.block_size, self.block_size)
        # first pixel from which each of the four ends lies in the next block
        shifts = (0, -size + 1, self.buffer, -size - self.buffer + 1)
        starts = np.unique(np.concatenate([[0], *(edges + shift for shift in shifts)]))
        return np.append(starts[(starts >= 0) & (starts < last)], last)


@dataclass(frozen=True)
class Runs:
    """Allowed top-left pixels, as a sequence to draw from.

    Args:
        rows: Starts of the runs of rows, and the end of the last one.
        columns: The same for columns.
        ends: Running sum of the allowed pixels over pairs of runs, row by row.
    """

    rows: np.ndarray
    columns: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, index: int) -> tuple[int, int]:
        """Return row and column of an allowed pixel; each has one index."""
        pair = int(np.searchsorted(self.ends, index, side="right"))
        within = index - (int(self.ends[pair - 1]) if pair else 0)
        i, j = divmod(pair, len(self.columns) - 1)
        down, along = divmod(within, int(self.columns[j + 1] - self.columns[j]))
        return int(self.rows[i]) + down, int(self.columns[j]) + along


def _sums(
    blocks: np.ndarray, top: np.ndarray, bottom: np.ndarray, left: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Count the set blocks in the rectangle of each pair of a row range and a column range."""
    total = np.zeros((blocks.shape[0] + 1, blocks.shape[1] + 1), np.int64)
    total[1:, 1:] = blocks.cumsum(0).cumsum(1)
    return np.asarray(
        total[np.ix_(bottom, right)]
        - total[np.ix_(top, right)]
        - total[np.ix_(bottom, left)]
        + total[np.ix_(top, left)]
    )
