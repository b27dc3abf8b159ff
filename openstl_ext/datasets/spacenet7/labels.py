"""Buildings and unusable pixels of a month, as rasters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.spacenet7.files import Month
from openstl_ext.errors import DataError
from openstl_ext.rasters.crs import parsed_crs, transformed
from openstl_ext.rasters.geojson import read_polygons
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window

Mask = NDArray[np.bool_]


def rasterised(path: Path, grid: Grid) -> Mask:
    """Return which pixels of a grid have their centre in a polygon of a GeoJSON file.

    Args:
        path: The file; one of 0 bytes or without a polygon covers nothing.
        grid: Grid of the image; the polygons are transformed to its CRS.

    Shape:
        - returns: (H, W).

    Raises:
        DataError: If the file is not GeoJSON, or the grid has no CRS.
    """
    shape = (grid.height, grid.width)
    if path.stat().st_size == 0:
        return np.zeros(shape, bool)
    polygons, system = read_polygons(path, may_be_empty=True)
    if not polygons:
        return np.zeros(shape, bool)
    if not grid.crs:
        raise DataError(
            f"{path}: the image of these polygons has no CRS ({grid.describe()}); unpack the set "
            "again"
        )
    rio = rasterio()
    areas = [{"type": "Polygon", "coordinates": rings} for rings in _moved(polygons, system, grid)]
    codes = rio.features.rasterize(
        areas,
        out_shape=shape,
        transform=rio.Affine(*grid.transform),
        fill=0,
        default_value=1,
        all_touched=False,
        dtype="uint8",
    )
    return np.asarray(codes, bool)


def _moved(polygons: list[list[np.ndarray]], system: Any, grid: Grid) -> list[list[Any]]:
    """Return the rings of polygons in the CRS of a grid."""
    points = np.concatenate([ring for rings in polygons for ring in rings])
    points = transformed(system, parsed_crs(grid.crs), *points.T).T
    ends = np.cumsum([len(ring) for rings in polygons for ring in rings])[:-1]
    rings = iter(np.split(points, ends))
    return [[next(rings).tolist() for _ in polygon] for polygon in polygons]


class LabelCache:
    """Buildings and unusable pixels of months, rasterised once in a process and kept as bits.

    Args:
        read: Rasterises a month: two masks (H, W).
    """

    def __init__(self, read: Callable[[Month], tuple[Mask, Mask]]) -> None:
        self.read = read
        self._bits: dict[Path, tuple[tuple[int, ...], NDArray[np.uint8]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_bits": {}}

    def __call__(self, month: Month) -> tuple[Mask, Mask]:
        """Return which pixels are of buildings, and which are not usable."""
        if month.image not in self._bits:
            masks = np.stack(self.read(month))
            self._bits[month.image] = (masks.shape, np.packbits(masks))
        shape, bits = self._bits[month.image]
        buildings, unusable = np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape)
        return buildings.astype(bool), unusable.astype(bool)


def read_month(month: Month) -> tuple[Mask, Mask]:
    """Rasterise the buildings and the unusable pixels of a month.

    The polygons of unusable pixels are used if there are any in the file; otherwise the raster of
    unusable pixels, in which another number than 0 marks them.

    Raises:
        DataError: If a file is damaged, or the raster has another size than the image.
    """
    image = RasterFile(month.image)
    grid = image.grid
    image.dataset.close()
    buildings = rasterised(month.buildings, grid)
    unusable = np.zeros_like(buildings)
    if month.unusable.is_file():
        unusable = rasterised(month.unusable, grid)
    if not unusable.any() and month.unusable_mask.is_file():
        raster = RasterFile(month.unusable_mask, codes=True)
        if raster.dataset.shape != buildings.shape:
            raise DataError(
                f"{month.unusable_mask}: size is {raster.dataset.shape}, expected "
                f"{buildings.shape} as of the image; unpack the set again"
            )
        stored = raster.read([1], Window(0, 0, *buildings.shape), nodata=[None])[0]
        raster.dataset.close()
        unusable = np.nan_to_num(stored) != 0
    return buildings, unusable
