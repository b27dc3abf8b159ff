"""Footprints of images: whether two show the same place."""

from pathlib import Path

import numpy as np

from openstl_ext.datasets.sensors.band_folder import band_file, merged
from openstl_ext.datasets.sensors.images import PICTURES, read_picture, read_raster
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError
from openstl_ext.rasters.crs import parsed_crs
from openstl_ext.rasters.grid import Grid, grid_pixels, grid_points
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.raster_file import RasterFile

LEAST_SHARED = 0.9
"""Smallest share of each footprint that lies in the other."""


def read_placed(path: Path, sensor: Sensor) -> tuple[np.ndarray, Grid | None]:
    """Read an image, and its grid; None for one without a CRS.

    Args:
        path: A GeoTIFF, a JPEG or PNG, or a folder with a GeoTIFF for each band.
        sensor: The sensor.

    Shape:
        - returns: values (C, H, W), float32, in units of the file.

    Raises:
        DataError: If a file is missing or damaged, or has other bands.
    """
    if path.suffix.lower() in PICTURES:
        return read_picture(path, sensor), None
    is_folder = path.is_dir()
    names = [band_file(path, b.name) for b in sensor.bands] if is_folder else [path]
    rasters = [RasterFile(name) for name in names]  # opened once, which takes most of the time
    grid = rasters[0].grid
    values = merged(rasters) if is_folder else read_raster(rasters[0], sensor)
    return values, grid if grid.crs else None


def shared_area(one: Grid, other: Grid) -> float:
    """Return the share of the footprint of ``one`` in that of ``other``, or the reverse if smaller.

    Points of a regular grid are counted, so footprints may be turned against each other, as between
    two UTM zones.
    """
    return min(_share_within(one, other), _share_within(other, one))


def _share_within(one: Grid, other: Grid) -> float:
    steps = (np.arange(24) + 0.5) / 24
    columns, rows = np.meshgrid(steps * one.width, steps * one.height)
    x, y = grid_points(one, columns.ravel(), rows.ravel())
    if one.crs != other.crs:
        crs = parsed_crs(one.crs), parsed_crs(other.crs)
        x, y = (np.array(values) for values in rasterio().warp.transform(*crs, x, y))
    columns, rows = grid_pixels(other, x, y)
    inside = (columns >= 0) & (columns <= other.width) & (rows >= 0) & (rows <= other.height)
    return float(inside.mean())


def check_same_place(paths: tuple[Path, Path], one: Grid | None, other: Grid | None) -> None:
    """Refuse a pair whose georeferences place it at different positions.

    Args:
        paths: Files, for the message.
        one: Grid of the first; None without a CRS, such as of JPEG, which is not compared.
        other: Grid of the second.

    Raises:
        DataError: With both files and the shared part.
    """
    if one is None or other is None:
        return
    if (share := shared_area(one, other)) < LEAST_SHARED:
        raise DataError(
            f"{paths[0]} and {paths[1]} share {share:.0%} of their footprints, at least "
            f"{LEAST_SHARED:.0%} is needed; correct the list, or crop both to the same place"
        )
