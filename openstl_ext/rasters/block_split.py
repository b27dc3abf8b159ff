"""Split a raster into blocks, and draw the blocks of each split."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, nearest
from openstl_ext.json_file import read_json
from openstl_ext.rasters.placement import Placement, Runs
from openstl_ext.rasters.window import Window


def assign_blocks(usable: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Shuffle the usable blocks and assign each to a split.

    Args:
        usable: Blocks with enough data.
        shares: Share of the blocks of each split.
        seed: Seed of the shuffle.

    Shape:
        - usable: (rows of blocks, columns of blocks), bool.
        - returns: the same, uint8: 0 for no split, k for the k-th of ``shares``.

    Raises:
        DataError: If the shares are not positive or do not sum to 1, or a split gets no block.
    """
    places = np.flatnonzero(usable)
    counts = largest_remainder(shares, len(places))
    if empty := [name for name, count in counts.items() if not count]:
        raise DataError(
            f"{len(places)} of {usable.size} blocks have enough data, too few for {dict(shares)}: "
            f"{', '.join(empty)} would get none; use a smaller block_size or min_valid"
        )
    codes = np.zeros(usable.shape, np.uint8)
    assigned = np.repeat(np.arange(1, len(counts) + 1), list(counts.values()))
    codes.flat[np.random.default_rng(seed).permutation(places)] = assigned
    return codes


def largest_remainder(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Divide a total into integers by shares with the largest remainder method.

    Raises:
        DataError: If the shares are not positive or do not sum to 1.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise DataError(f"shares are {dict(shares)}; they must be positive and sum to 1")
    # 0.3 is slightly less than 3/10 in binary, which must not cost a block
    exact = {name: round(share * total, 6) for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


FORMAT = "openstl_ext block split 1"
SYMBOLS = ".123456789"
"""Symbols of blocks in the file: of no split, and of each split."""


class _BlockFile(msgspec.Struct, tag_field="format", tag=FORMAT):
    height: int
    width: int
    block_size: int
    names: tuple[str, ...]
    blocks: list[Annotated[str, msgspec.Meta(pattern="^[.1-9]*$")]]
    about: dict[str, Any] = {}


class BlockSplit:
    """Assignment of the blocks of a raster to splits.

    Neighbouring pixels are correlated. If single chips were assigned to splits, test chips would
    adjoin training chips; therefore large blocks are assigned. The buffer between chips of
    different splits is an argument of the methods that cut chips.

    Args:
        height: Rows of the raster, in pixels.
        width: Columns of the raster, in pixels.
        block_size: Side of a block, in pixels; the last ones may be cut off by the edge.
        names: Splits, at most nine.
        codes: 0 for a block of no split, k for one of ``names[k - 1]``.
        about: Metadata stored with the split, such as the buffer that it was drawn for.

    Shape:
        - codes: (rows of blocks, columns of blocks), uint8.
    """

    def __init__(
        self,
        *,
        height: int,
        width: int,
        block_size: int,
        names: Sequence[str],
        codes: np.ndarray,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.height = height
        self.width = width
        self.block_size = block_size
        self.names = tuple(names)
        self.codes = codes.astype(np.uint8)
        self.codes.flags.writeable = False
        self.about = dict(about or {})
        self._runs: dict[tuple[str, int, int], Runs] = {}

    @classmethod
    def draw(
        cls,
        *,
        height: int,
        width: int,
        block_size: int,
        shares: Mapping[str, float],
        seed: int,
        valid_share: np.ndarray | None = None,
        min_valid: float = 0.2,
        about: Mapping[str, Any] | None = None,
    ) -> "BlockSplit":
        """Assign blocks to splits at random, in shares as exact as the number of blocks allows.

        Args:
            height: Rows of the raster, in pixels.
            width: Columns of the raster, in pixels.
            block_size: Side of a block, in pixels.
            shares: Share of the blocks of each split; the sum is 1.
            seed: Seed of the shuffle; it determines the split.
            valid_share: Share of pixels with data in each block; 1 by default.
            min_valid: Blocks with a smaller share are not used.
            about: Metadata stored with the split.

        Shape:
            - valid_share: (rows of blocks, columns of blocks).

        Raises:
            DataError: If the shares are not positive or do not sum to 1, or there are fewer
                usable blocks than splits need.
        """
        if valid_share is None:
            valid_share = np.ones(block_shape(height, width, block_size))
        codes = assign_blocks(valid_share >= min_valid, shares, seed)
        return cls(
            height=height,
            width=width,
            block_size=block_size,
            names=tuple(shares),
            codes=codes,
            about=about,
        )

    def windows(self, name: str, *, size: int, stride: int, buffer: int) -> list[Window]:
        """Return the chips of a regular grid, row by row.

        The grid restarts in each block, ``buffer`` pixels from its edge, so that an isolated block
        contains as many chips as possible. A chip may extend into a neighbouring block of the same
        split. Chips overlap only if ``stride`` is smaller than ``size``.

        Args:
            name: Name of the split.
            size: Side of a chip, in pixels.
            stride: Smallest distance between first pixels of chips, in pixels.
            buffer: Smallest number of pixels between a chip and a block of another split, also
                diagonally. Unused blocks need no buffer.

        Raises:
            DataError: If there is no such split, or no chip fits.
        """
        rows = self._starts(self.height, size, stride, buffer)
        columns = self._starts(self.width, size, stride, buffer)
        good = self._placement(name, (size, size), buffer).allowed(rows, columns)
        found = [Window(int(rows[i]), int(columns[j]), size, size) for i, j in np.argwhere(good)]
        if not found:
            self._raise_no_place(name, size, buffer)
        return found

    def _starts(self, end: int, size: int, stride: int, buffer: int) -> np.ndarray:
        """Return candidates for the first rows, or columns, of chips."""
        if min(size, stride) < 1 or buffer < 0:
            raise DataError(
                f"size {size} and stride {stride} of chips must be at least 1, and the buffer "
                f"{buffer} at least 0"
            )
        if stride > self.block_size:
            return np.arange(buffer % stride, end, stride)
        steps = (np.arange(self.block_size // stride) * stride + buffer) % self.block_size
        starts = np.arange(0, end, self.block_size)[:, None] + np.sort(steps)
        return starts[starts < end]

    def draw_window(self, name: str, *, size: int, buffer: int, rng: np.random.Generator) -> Window:
        """Draw a chip of a split, uniformly from all allowed positions.

        Positions are stored as rectangles, at most 16 numbers of eight bytes per block for each
        (name, size, buffer), computed at the first draw.

        Args:
            name: Name of the split.
            size: Side of the chip, in pixels.
            buffer: As in ``windows``.
            rng: Generator; one number is drawn from it.

        Raises:
            DataError: If there is no such split, or no chip fits.
        """
        key = (name, size, buffer)
        if key not in self._runs:
            self._runs[key] = self._placement(name, (size, size), buffer).runs()
        runs = self._runs[key]
        if not len(runs):
            self._raise_no_place(name, size, buffer)
        row, column = runs[int(rng.integers(len(runs)))]
        return Window(row, column, size, size)

    def allows(self, name: str, window: Window, buffer: int) -> bool:
        """Return whether a window lies in a split, and far enough from the others."""
        placement = self._placement(name, (window.height, window.width), buffer)
        return bool(placement.allowed(np.array([window.row]), np.array([window.column])))

    def mask(self, name: str, window: Window) -> np.ndarray:
        """Return which pixels of a window belong to a split; none beyond the edge.

        Shape:
            - returns: (rows, columns), bool.
        """
        own = self.codes == self._code(name)
        rows = np.arange(window.row, window.row + window.height)
        columns = np.arange(window.column, window.column + window.width)
        here = ((rows >= 0) & (rows < self.height))[:, None] & (
            (columns >= 0) & (columns < self.width)
        )
        blocks = own[
            np.ix_(
                np.clip(rows, 0, self.height - 1) // self.block_size,
                np.clip(columns, 0, self.width - 1) // self.block_size,
            )
        ]
        return np.asarray(blocks & here)

    def write(self, path: Path | str) -> None:
        """Store the split as JSON, with one line of text per row of blocks."""
        count = {name: int((self.codes == self._code(name)).sum()) for name in self.names}
        document = {
            "format": FORMAT,
            "height": self.height,
            "width": self.width,
            "block_size": self.block_size,
            "names": list(self.names),
            "about": self.about,
            "num_blocks": count,
            "blocks": ["".join(SYMBOLS[c] for c in row) for row in self.codes],
        }
        atomic_write(Path(path), (json.dumps(document, indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path | str) -> "BlockSplit":
        """Load what ``write`` stored.

        Raises:
            DataError: If there is no such file, or it has another format or is incomplete.
        """
        advice = "draw the split again"
        found = read_json(path, _BlockFile, advice=advice)
        rows, columns = block_shape(found.height, found.width, found.block_size)
        if len(found.blocks) != rows or {len(row) for row in found.blocks} != {columns}:
            raise DataError(f"{path}: blocks are not {rows} rows of {columns}; {advice}")
        return cls(
            height=found.height,
            width=found.width,
            block_size=found.block_size,
            names=found.names,
            codes=np.array([[SYMBOLS.index(c) for c in row] for row in found.blocks], np.uint8),
            about=found.about,
        )

    def _code(self, name: str) -> int:
        if name not in self.names:
            raise DataError(f"the block split has no {name!r}; {nearest(name, self.names)}")
        return self.names.index(name) + 1

    def _placement(self, name: str, chip: tuple[int, int], buffer: int) -> Placement:
        own = self.codes == self._code(name)
        return Placement(
            height=self.height,
            width=self.width,
            block_size=self.block_size,
            own=own,
            foreign=~own & (self.codes > 0),
            chip=chip,
            buffer=buffer,
        )

    def _raise_no_place(self, name: str, size: int, buffer: int) -> NoReturn:
        blocks = int((self.codes == self._code(name)).sum())
        raise DataError(
            f"no chip of {size} pixels with a buffer of {buffer} fits into split {name!r}: its "
            f"{blocks} blocks are {self.block_size} pixels wide, and an isolated block needs "
            f"{size} + 2 * {buffer} = {size + 2 * buffer}; draw the split with a larger "
            "block_size, or use smaller chips or a smaller buffer"
        )


def block_shape(height: int, width: int, block_size: int) -> tuple[int, int]:
    """Return the number of rows and columns of blocks that cover a raster.

    Raises:
        DataError: If a size is not positive.
    """
    if min(height, width, block_size) < 1:
        raise DataError(f"{height} x {width} pixels and block_size {block_size} must be positive")
    return -(-height // block_size), -(-width // block_size)
