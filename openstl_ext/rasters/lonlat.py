"""Longitude and latitude of pixels."""

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.crs import WGS84, parsed_crs, transformed
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window, pixel_centres


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
    points = pixel_centres(grid, window)
    crs = parsed_crs(grid.crs)
    if not (crs.is_geographic and crs.to_epsg() == 4326):
        x, y = points.reshape(2, -1)
        points = transformed(crs, WGS84, x, y).reshape(points.shape)
    lon, lat = points
    lon = np.where((lon >= -180) & (lon < 180), lon, (lon + 180) % 360 - 180)
    return np.stack([lon, lat]).astype(np.float32)
