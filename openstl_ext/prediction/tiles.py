"""Divide an area into overlapping tiles."""

from collections.abc import Iterator
from dataclasses import dataclass

from openstl_ext.errors import ConfigError
from openstl_ext.rasters.window import Window


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """Overlapping square tiles of one size over a raster.

    Their positions do not depend on the requested area, so the map of a region equals that part
    of the map of the raster. All have the same size, because some nets accept no other: the last
    ones are moved inward, and in a raster smaller than a tile they extend beyond it.

    Args:
        height: Rows of the raster.
        width: Columns of the raster.
        size: Side of a tile, in pixels.
        overlap: Smallest number of pixels that neighbours share.

    Raises:
        ConfigError: If the size is less than 1, or the overlap is not smaller than the size.
    """

    height: int
    width: int
    size: int = 128
    overlap: int = 32

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.overlap < self.size:
            raise ConfigError(
                f"tile size is {self.size} and overlap {self.overlap}; the size must be at "
                "least 1, and the overlap at least 0 and smaller than the size"
            )

    @property
    def whole(self) -> Window:
        """Window of the entire raster."""
        return Window(0, 0, self.height, self.width)

    @property
    def rows(self) -> list[int]:
        """First row of each row of tiles."""
        return starts(self.height, size=self.size, overlap=self.overlap)

    @property
    def columns(self) -> list[int]:
        """First column of each column of tiles."""
        return starts(self.width, size=self.size, overlap=self.overlap)

    def covering(self, area: Window) -> Iterator[Window]:
        """Yield the tiles that overlap an area, row by row."""
        for row in self.rows:
            for column in self.columns:
                tile = Window(row, column, self.size, self.size)
                if tile.meet(area):
                    yield tile


def starts(length: int, *, size: int, overlap: int) -> list[int]:
    """Return the first pixels of tiles along an axis, so that each pixel is covered."""
    last = max(length - size, 0)
    return [*range(0, last, size - overlap), last]
