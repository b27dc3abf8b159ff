"""Split a raster into blocks, and draw the blocks of each split."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, nearest
from openstl_ext.rasters.placement import Placement, Runs
from openstl_ext.rasters.window import Window


def deal(usable: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """Shuffle the usable blocks and give each to a split.

    Args:
        usable: Blocks with enough data.
        shares: Part of them that each split gets.
        seed: Of the shuffle.

    Shape:
        - usable: (rows of blocks, columns of blocks), bool.
        - returns: the same, uint8: 0 for nobody, k for the k-th of ``shares``.

    Raises:
        DataError: If the shares are not positive or not one together, or a split gets no block.
    """
    places = np.flatnonzero(usable)
    counts = largest_remainder(shares, len(places))
    if empty := [name for name, count in counts.items() if not count]:
        raise DataError(
            f"{len(places)} blocks with enough data, of {usable.size}, are too few for "
            f"{dict(shares)}: {', '.join(empty)} would get none; take a smaller block_size, or "
            "ask for less data with min_valid"
        )
    codes = np.zeros(usable.shape, np.uint8)
    dealt = np.repeat(np.arange(1, len(counts) + 1), list(counts.values()))
    codes.flat[np.random.default_rng(seed).permutation(places)] = dealt
    return codes


def largest_remainder(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in given shares of a total; what is left goes to the largest remainders.

    Raises:
        DataError: If the shares are not positive or not one together.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise DataError(f"shares must be above zero and one together, not {dict(shares)}")
    # a share of 0.3 is a little less than 3/10, and must not lose a block by that
    exact = {name: round(share * total, 6) for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    order = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in order[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


FORMAT = "openstl_ext block split 1"
UNUSED = "."
DIGITS = "123456789"
"""How the file shows the split of a block; a person can read the map."""


class BlockSplit:
    """Which split each block of a raster belongs to.

    Neighbouring pixels are alike, so chips that are dealt out one by one would be tested next to
    where they were trained. Whole blocks are dealt out instead; the buffer between chips of
    different splits is asked for when chips are cut.

    Args:
        height: Rows of the raster, in pixels.
        width: Columns of the raster, in pixels.
        block_size: Side of a block, in pixels; the last ones may be cut off by the border.
        names: Splits, at most nine.
        codes: 0 for a block of no split, k for one of ``names[k - 1]``.
        about: Facts that are stored with the split, such as the buffer that it was drawn for.

    Shape:
        - codes: (rows of blocks, columns of blocks), uint8.

    Raises:
        DataError: If these do not go together.
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
        if min(height, width, block_size) < 1:
            raise DataError(f"{height} x {width} pixels have no blocks of {block_size}")
        shape = block_shape(height, width, block_size)
        if codes.shape != shape:
            raise DataError(
                f"{height} x {width} pixels have {shape} blocks of {block_size}, not {codes.shape}"
            )
        if not 1 <= len(set(names)) == len(names) <= len(DIGITS):
            raise DataError(f"a block split has one to nine splits, each named once: {names}")
        if codes.min() < 0 or codes.max() > len(names):
            raise DataError(f"a block belongs to split {codes.max()} of {len(names)}")
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
        """Deal blocks out by chance, in shares that are as exact as whole blocks allow.

        Args:
            height: Rows of the raster, in pixels.
            width: Columns of the raster, in pixels.
            block_size: Side of a block, in pixels.
            shares: Part of the blocks that each split gets; together one.
            seed: Of the shuffle; the same one always gives the same split.
            valid_share: Part of the pixels of each block that hold data; all of them by default.
            min_valid: Blocks with a lesser part are left unused.
            about: Facts that are stored with the split.

        Shape:
            - valid_share: (rows of blocks, columns of blocks).

        Raises:
            DataError: If the shares are not positive or not one together, or there are too few
                blocks for each split to get one.
        """
        if min(height, width, block_size) < 1:
            raise DataError(f"{height} x {width} pixels have no blocks of {block_size}")
        shape = block_shape(height, width, block_size)
        if valid_share is None:
            valid_share = np.ones(shape)
        if valid_share.shape != shape:
            raise DataError(f"valid_share is given for {valid_share.shape} blocks, not {shape}")
        codes = deal(valid_share >= min_valid, shares, seed)
        return cls(
            height=height,
            width=width,
            block_size=block_size,
            names=tuple(shares),
            codes=codes,
            about=about,
        )

    def windows(self, name: str, *, size: int, stride: int, buffer: int) -> list[Window]:
        """Chips on a regular grid, row by row.

        The grid starts anew in each block, ``buffer`` pixels in, so that a block among those of
        other splits gives what it can; chips may reach into a neighbour of the same split. First
        pixels are ``stride`` apart or more, so chips share no pixel if it is not below ``size``.

        Args:
            name: Of the split.
            size: Side of a chip, in pixels.
            stride: Between first pixels of chips, in pixels.
            buffer: Least number of pixels between a chip and a block of another split, also
                across a corner. Unused blocks are no obstacle to it.

        Raises:
            DataError: If there is no such split, or no place for a chip.
        """
        rows = self._starts(self.height, size, stride, buffer)
        columns = self._starts(self.width, size, stride, buffer)
        good = self._placement(name, (size, size), buffer).allowed(rows, columns)
        found = [Window(int(rows[i]), int(columns[j]), size, size) for i, j in np.argwhere(good)]
        if not found:
            raise self._no_place(name, size, buffer)
        return found

    def _starts(self, end: int, size: int, stride: int, buffer: int) -> np.ndarray:
        """First rows, or columns, that are tried."""
        if min(size, stride) < 1 or buffer < 0:
            raise DataError(f"no chips of size {size}, stride {stride} and buffer {buffer}")
        if stride > self.block_size:
            return np.arange(buffer % stride, end, stride)
        steps = (np.arange(self.block_size // stride) * stride + buffer) % self.block_size
        starts = np.arange(0, end, self.block_size)[:, None] + np.sort(steps)
        return starts[starts < end]

    def draw_window(self, name: str, *, size: int, buffer: int, rng: np.random.Generator) -> Window:
        """A chip anywhere in a split; each allowed place is equally likely.

        The places are kept as rectangles of equal rows and columns, at most 16 numbers of eight
        bytes a block for each (name, size, buffer), worked out at the first draw.

        Args:
            name: Of the split.
            size: Side of the chip, in pixels.
            buffer: As in ``windows``.
            rng: Where chance comes from; one number is drawn.

        Raises:
            DataError: If there is no such split, or no place for a chip.
        """
        key = (name, size, buffer)
        if key not in self._runs:
            self._runs[key] = self._placement(name, (size, size), buffer).runs()
        runs = self._runs[key]
        if not len(runs):
            raise self._no_place(name, size, buffer)
        row, column = runs[int(rng.integers(len(runs)))]
        return Window(row, column, size, size)

    def allows(self, name: str, window: Window, buffer: int) -> bool:
        """Whether all pixels of a window are of a split, and far enough from the others."""
        placement = self._placement(name, (window.height, window.width), buffer)
        return bool(placement.allowed(np.array([window.row]), np.array([window.column])))

    def mask(self, name: str, window: Window) -> np.ndarray:
        """Which pixels of a window are of a split; none beyond the border.

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
        """Store the split as JSON, with one line of text a row of blocks."""
        count = {name: int((self.codes == self._code(name)).sum()) for name in self.names}
        document = {
            "format": FORMAT,
            "height": self.height,
            "width": self.width,
            "block_size": self.block_size,
            "names": list(self.names),
            "about": self.about,
            "num_blocks": count,
            "blocks": ["".join((UNUSED + DIGITS)[c] for c in row) for row in self.codes],
        }
        atomic_write(Path(path), (json.dumps(document, indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path | str) -> "BlockSplit":
        """Load what ``write`` stored.

        Raises:
            DataError: If there is no such file, or it is damaged.
        """
        try:
            document = json.loads(Path(path).read_text())
            if document["format"] != FORMAT:
                raise DataError(f"its format is {document['format']!r}, not {FORMAT!r}")
            codes = [[(UNUSED + DIGITS).index(c) for c in row] for row in document["blocks"]]
            split = cls(
                height=int(document["height"]),
                width=int(document["width"]),
                block_size=int(document["block_size"]),
                names=document["names"],
                codes=np.array(codes, np.uint8),
                about=document.get("about"),
            )
            for name, count in document["num_blocks"].items():
                if (found := int((split.codes == split._code(name)).sum())) != count:
                    raise DataError(f"split {name} has {found} blocks, not {count}")
        except FileNotFoundError as e:
            raise DataError(f"no block split at {path}; draw one first") from e
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
            what = f"it lacks {e}" if isinstance(e, KeyError) else e
            raise DataError(f"{path} is not a whole block split: {what}; draw it again") from e
        return split

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

    def _no_place(self, name: str, size: int, buffer: int) -> DataError:
        blocks = int((self.codes == self._code(name)).sum())
        return DataError(
            f"split {name!r} has no place for a chip of {size} pixels with a buffer of {buffer}: "
            f"its {blocks} blocks are {self.block_size} pixels wide, and one alone needs "
            f"{size} + 2 * {buffer} = {size + 2 * buffer}; draw the split with a larger "
            "block_size, or take smaller chips or a smaller buffer"
        )


def block_shape(height: int, width: int, block_size: int) -> tuple[int, int]:
    """Rows and columns of blocks that cover a raster."""
    return -(-height // block_size), -(-width // block_size)
