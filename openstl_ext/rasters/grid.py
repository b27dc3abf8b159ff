"""Grid of a raster: size, CRS and transform, and conversion between pixels and coordinates."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.crs import crs_differences, full_turn, parsed_crs

if TYPE_CHECKING:
    from openstl_ext.rasters.window import Window

TOLERANCE = 1e-6
"""Share of a pixel by which two grids may differ; writers round their transforms differently."""
NO_TRANSFORM = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Transform of an array without georeference: coordinates are columns and rows."""
WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".wld")


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
        """Return the grid of an open rasterio dataset.

        Raises:
            DataError: If its georeference is incomplete.
        """
        crs = dataset.crs.to_wkt() if dataset.crs else ""
        a, b, c, d, e, f = (float(v) for v in dataset.transform[:6])
        transform = (a, b, c, d, e, f)
        if crs or transform != NO_TRANSFORM or dataset.gcps[0] or dataset.rpcs:
            check_transform(dataset.name, transform, _placed_by(dataset))
        elif beside := _world_file(Path(dataset.name)):
            raise DataError(
                f"{dataset.name} has no georeference, and {beside.name} beside it is not read; "
                f"write both into one file with `gdal_translate {Path(dataset.name).name} new.tif`"
            )
        return cls(height=dataset.height, width=dataset.width, crs=crs, transform=transform)

    def cut(self, part: "Window") -> "Grid":
        """Return the grid of a part of the pixels."""
        a, b, c, d, e, f = self.transform
        x, y = c + a * part.column + b * part.row, f + d * part.column + e * part.row
        transform = (a, b, x, d, e, y)
        return Grid(height=part.height, width=part.width, crs=self.crs, transform=transform)

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
        """Return the properties in which two grids differ: size, parts of the CRS, transform."""
        found = []
        if (self.height, self.width) != (other.height, other.width):
            found.append("size")
        pixel = max(abs(self.transform[0]), abs(self.transform[1]), abs(self.transform[4]))
        columns, rows = np.meshgrid(*(np.linspace(0, n, 5) for n in (self.width, self.height)))
        places = grid_points(self, columns.ravel(), rows.ravel())
        if parts := crs_differences(self.crs, other.crs, *places, pixel):
            found.append(f"CRS: {', '.join(parts)}")
        shifts = [abs(p - q) for p, q in zip(self.transform, other.transform, strict=True)]
        if self.crs and (turn := full_turn(parsed_crs(self.crs))):  # 190 E is 170 W
            shifts[2] = abs(math.remainder(shifts[2], turn))
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


def check_transform(
    path: Path | str, transform: tuple[float, ...], others: str = "a CRS alone"
) -> None:
    """Refuse a transform that places no pixel.

    Args:
        path: File that has it, for the message.
        transform: The six numbers.
        others: What else the file has.

    Raises:
        DataError: If the transform is missing, not finite, or of pixels without an area.
    """
    a, b, _, d, e, _ = transform
    if transform == NO_TRANSFORM:
        reason = f"{others} and no transform"
    elif not np.isfinite(transform).all() or a * e == b * d:
        reason = f"the transform {list(transform)}, in which a pixel has no area"
    else:
        return
    raise DataError(
        f"{path}: the georeference is {reason}, so its pixels have no place; warp it to a grid "
        "with `gdalwarp`, or assign corners with `gdal_translate -a_ullr`"
    )


def _placed_by(dataset: Any) -> str:
    """Return what a file has to place its pixels, apart from a transform."""
    if dataset.gcps[0]:
        return f"{len(dataset.gcps[0])} ground control points"
    return "rational polynomials (RPC)" if dataset.rpcs else "a CRS"


def _world_file(path: Path) -> Path | None:
    """Return a file beside a raster with its transform, which GDAL would read."""
    places = (path.with_suffix(ending) for ending in WORLD_FILES)
    return next((place for place in places if place.is_file()), None)


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
