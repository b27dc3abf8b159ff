"""Grid of a raster: size, CRS and transform, and conversion between pixels and coordinates."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import DataError

TOLERANCE = 1e-6
"""Share of a pixel by which two grids may differ; writers round their transforms differently."""


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
        """Return the grid of an open rasterio dataset."""
        crs = dataset.crs.to_wkt() if dataset.crs else ""
        a, b, c, d, e, f = (float(v) for v in dataset.transform[:6])
        transform = (a, b, c, d, e, f)
        return cls(height=dataset.height, width=dataset.width, crs=crs, transform=transform)

    def describe(self) -> str:
        """Return a description of one line, for messages."""
        name = self.crs.split('"')[1] if '"' in self.crs else self.crs or "no CRS"
        a, b, c, d, e, f = self.transform
        rotation = f", rotated by ({b:g}, {d:g})" if b or d else ""
        return (
            f"{self.height} x {self.width} pixels of {a:g} x {e:g} from ({c:.10g}, {f:.10g}) "
            f"in {name}{rotation}"
        )

    def differs_from(self, other: "Grid") -> list[str]:
        """Return the properties in which two grids differ: size, CRS, transform."""
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
        """Reject two rasters whose pixels are not at the same places.

        Args:
            other: The grid to compare with.
            path: File of this grid, for the message.
            other_path: File of the other grid, for the message.

        Raises:
            DataError: With both grids and what differs.
        """
        if parts := self.differs_from(other):
            raise DataError(
                f"{path} and {other_path} differ in {' and '.join(parts)}:\n"
                f"  {path}: {self.describe()}\n  {other_path}: {other.describe()}\n"
                "resample all rasters to one grid, for example with gdalwarp"
            )


def _same_crs(one: str, other: str) -> bool:
    """Return whether two texts describe the same CRS."""
    if not one or not other:
        return False
    from rasterio.crs import CRS

    return bool(CRS.from_wkt(one) == CRS.from_wkt(other))


def grid_points(grid: Grid, columns: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Convert pixel positions to coordinates; (0, 0) is the outer corner of the first pixel."""
    a, b, c, d, e, f = grid.transform
    return a * columns + b * rows + c, d * columns + e * rows + f


def grid_pixels(grid: Grid, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Convert coordinates x and y to fractional columns and rows."""
    a, b, c, d, e, f = grid.transform
    area = a * e - b * d
    dx, dy = x - c, y - f
    return (e * dx - b * dy) / area, (a * dy - d * dx) / area
