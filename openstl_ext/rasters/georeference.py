"""Between columns and rows of a grid and coordinates in its CRS."""

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.grid import Grid


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
