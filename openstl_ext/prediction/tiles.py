"""How an area is cut into tiles."""

from collections.abc import Iterator
from dataclasses import dataclass

from openstl_ext.errors import ConfigError
from openstl_ext.rasters.window import Window


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """Overlapping squares of one size over a whole raster.

    They lie where they lie whatever part of the raster is asked for, so the map of a region is
    cut out of the map of the whole. All are of one size, because some nets take no other: the last
    ones are moved inward, and where the raster is smaller than a tile they reach beyond it.

    Args:
        height: Rows of the raster.
        width: Columns of the raster.
        size: Side of a tile, in pixels.
        overlap: Least number of pixels that neighbours share.

    Raises:
        ConfigError: If tiles have no size, or overlap so far that they do not advance.
    """

    height: int
    width: int
    size: int = 128
    overlap: int = 32

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.overlap < self.size:
            raise ConfigError(
                f"tiles of {self.size} that overlap by {self.overlap}: the size is at least 1, "
                "and the overlap at least 0 and smaller than the size"
            )

    @property
    def whole(self) -> Window:
        """The raster."""
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
        """The tiles that touch an area, row by row."""
        for row in self.rows:
            for column in self.columns:
                tile = Window(row, column, self.size, self.size)
                if tile.meet(area):
                    yield tile


def starts(length: int, *, size: int, overlap: int) -> list[int]:
    """Where tiles begin along one axis, so that each pixel of it is covered."""
    last = max(length - size, 0)
    return [*range(0, last, size - overlap), last]
