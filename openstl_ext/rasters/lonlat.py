"""Longitude and latitude of pixels."""

from functools import lru_cache
from typing import Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.grid import Grid, grid_pixels, grid_points
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window

WGS84 = "EPSG:4326"


def lonlat(grid: Grid, window: Window) -> np.ndarray:
    """Compute longitude and latitude of pixel centres.

    Other systems than WGS 84 are transformed pixel by pixel. Pixels outside the domain of the
    projection, as in the corners of an equal-area map of the world, are NaN.

    Args:
        grid: Grid of the raster.
        window: The pixels; it may extend beyond the edge.

    Shape:
        - returns: (2, rows, columns), float32: longitude in [-180, 180), latitude, in degrees.

    Raises:
        DataError: If the grid has no CRS.
    """
    if not grid.crs:
        raise DataError(f"{grid.describe()}: longitude and latitude need a CRS; assign one")
    columns = np.arange(window.column, window.column + window.width) + 0.5
    rows = np.arange(window.row, window.row + window.height)[:, None] + 0.5
    points = np.stack(grid_points(grid, columns, rows))
    if not _is_wgs84(grid.crs):
        points = _to_wgs84(grid, window, points)
    points = np.where(np.isfinite(points), points, np.nan)
    lon, lat = points
    lon = np.where((lon >= -180) & (lon < 180), lon, (lon + 180) % 360 - 180)
    return np.stack([lon, lat]).astype(np.float32)


@lru_cache(maxsize=8)
def _parsed(crs: str) -> Any:
    return rasterio().crs.CRS.from_wkt(crs)


@lru_cache(maxsize=8)
def _is_wgs84(crs: str) -> bool:
    """Return whether coordinates already are longitude and latitude in degrees."""
    system = _parsed(crs)
    return bool(system.is_geographic and system.to_epsg() == 4326)


def _to_wgs84(grid: Grid, window: Window, points: np.ndarray) -> np.ndarray:
    """Transform the pixel centres (2, rows, columns) of a window."""
    rio, shape = rasterio(), points.shape
    x, y = points.reshape(2, -1)
    try:
        there = rio.warp.transform(_parsed(grid.crs), WGS84, x.tolist(), y.tolist())
        return np.reshape(there, shape)
    except rio._err.CPLE_BaseError:  # raised for all points if one is outside the domain
        return _partly_to_wgs84(grid, window, x, y).reshape(shape)


def _partly_to_wgs84(grid: Grid, window: Window, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Transform points (2, pixels) of which some are outside the domain of the projection.

    GDAL drops these from a line without reporting which, so the remaining points are transformed
    back and identified by their position.
    """
    rio, crs = rasterio(), _parsed(grid.crs)
    found = np.full((2, x.size), np.nan)
    line = {"type": "LineString", "coordinates": np.stack([x, y], 1).tolist()}
    try:
        with rio.Env(OGR_ENABLE_PARTIAL_REPROJECTION=True):
            kept = np.array(rio.warp.transform_geom(crs, WGS84, line)["coordinates"])[:, :2].T
        back = np.array(rio.warp.transform(WGS84, crs, *kept.tolist()))
    except (rio._err.CPLE_BaseError, SystemError):  # all points are outside the domain
        return found
    columns, rows = (np.floor(v).astype(int) for v in grid_pixels(grid, *back))
    columns, rows = columns - window.column, rows - window.row
    here = (columns >= 0) & (columns < window.width) & (rows >= 0) & (rows < window.height)
    found[:, (rows * window.width + columns)[here]] = kept[:, here]
    return found
