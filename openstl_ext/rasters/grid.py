"""Grid of a raster: size, CRS and transform, and conversion between pixels and coordinates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import DataError

TOLERANCE = 1e-6
"""By what part of a pixel two grids may differ; writers round their transforms differently."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Size, coordinate system and transform of a raster.

    Args:
        height: Number of rows.
        width: Number of columns.
        crs: Coordinate reference system as WKT; empty for none.
        transform: From column and row to coordinates: the six numbers a, b, c, d, e, f of
            x = a * column + b * row + c and y = d * column + e * row + f.
    """

    height: int
    width: int
    crs: str
    transform: tuple[float, float, float, float, float, float]

    @classmethod
    def of(cls, dataset: Any) -> "Grid":
        """The grid of a dataset that rasterio has opened."""
        crs = dataset.crs.to_wkt() if dataset.crs else ""
        a, b, c, d, e, f = (float(v) for v in dataset.transform[:6])
        transform = (a, b, c, d, e, f)
        return cls(height=dataset.height, width=dataset.width, crs=crs, transform=transform)

    def describe(self) -> str:
        """One line for a message."""
        name = self.crs.split('"')[1] if '"' in self.crs else self.crs or "no CRS"
        a, b, c, d, e, f = self.transform
        turned = f", turned by ({b:g}, {d:g})" if b or d else ""
        return (
            f"{self.height} x {self.width} pixels of {a:g} x {e:g} from ({c:.10g}, {f:.10g}) "
            f"in {name}{turned}"
        )

    def differs_from(self, other: "Grid") -> list[str]:
        """What sets two grids apart: size, CRS, transform."""
        found = []
        if (self.height, self.width) != (other.height, other.width):
            found.append("size")
        if self.crs != other.crs and not _same_crs(self.crs, other.crs):
            found.append("CRS")
        pixel = max(abs(self.transform[0]), abs(self.transform[1]), abs(self.transform[4]))
        shifts = [abs(p - q) for p, q in zip(self.transform, other.transform, strict=True)]
        # an error in the pixel size grows along the raster, one in the origin does not
        reach = max(self.height, self.width)
        steps = [reach * s if k not in (2, 5) else s for k, s in enumerate(shifts)]
        if max(steps) > TOLERANCE * reach * pixel:
            found.append("transform")
        return found

    def check_same(self, other: "Grid", *, path: Path | str, other_path: Path | str) -> None:
        """Refuse two rasters whose pixels are not the same places.

        Args:
            other: The grid that this one is held against.
            path: Where this grid is from, for the message.
            other_path: Where the other is from.

        Raises:
            DataError: With both grids and what differs.
        """
        if parts := self.differs_from(other):
            raise DataError(
                f"{path} and {other_path} differ in {' and '.join(parts)}:\n"
                f"  {path}: {self.describe()}\n  {other_path}: {other.describe()}\n"
                "bring all rasters onto one grid, with gdalwarp for example"
            )


def _same_crs(one: str, other: str) -> bool:
    """Whether two texts mean one system."""
    if not one or not other:
        return False
    from rasterio.crs import CRS

    return bool(CRS.from_wkt(one) == CRS.from_wkt(other))


def grid_points(grid: Grid, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y of places in pixels, where (0, 0) is the corner of the first pixel."""
    a, b, c, d, e, f = grid.transform
    return a * columns + b * rows + c, d * columns + e * rows + f


def grid_pixels(grid: Grid, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows, with fractions, of coordinates.

    Raises:
        DataError: If the transform of the grid maps pixels onto a line.
    """
    a, b, c, d, e, f = grid.transform
    area = a * e - b * d
    if area == 0:
        raise DataError(f"a raster of {grid.describe()} has pixels without area")
    dx, dy = x - c, y - f
    return (e * dx - b * dy) / area, (a * dy - d * dx) / area
