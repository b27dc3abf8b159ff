"""Small GeoTIFFs, written by rasterio, not by the tested code."""

import warnings
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from openstl_ext.rasters.grid import Grid

NORTH_UP = (0.5, 0.0, 10.0, 0.0, -0.5, 50.0)
"""Half a degree a pixel, from 10 E 50 N."""


def grid_of(
    height: int = 12,
    width: int = 16,
    *,
    crs: str = "EPSG:4326",
    transform: tuple[float, float, float, float, float, float] = NORTH_UP,
) -> Grid:
    wkt = rasterio.crs.CRS.from_user_input(crs).to_wkt() if crs else ""
    return Grid(height=height, width=width, crs=wkt, transform=transform)


def write_tif(
    path: Path,
    bands: np.ndarray,
    *,
    crs: str | None = "EPSG:4326",
    transform: tuple[float, ...] = NORTH_UP,
    nodata: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
    visible: np.ndarray | None = None,
    descriptions: tuple[str, ...] = (),
) -> Path:
    """Write bands (N, rows, columns) with the metadata of a file."""
    bands = bands if bands.ndim == 3 else bands[None]
    count, height, width = bands.shape
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=height,
            width=width,
            count=count,
            dtype=bands.dtype.name,
            crs=crs,
            transform=rasterio.Affine(*transform),
            nodata=nodata,
        ) as file:
            file.write(bands)
            if (scale, offset) != (1, 0):
                file.scales, file.offsets = (scale,) * count, (offset,) * count
            if visible is not None:
                file.write_mask(visible)
            for band, text in enumerate(descriptions, start=1):
                file.set_band_description(band, text)
    return path
