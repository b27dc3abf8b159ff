"""Synthetic maps of classes, images of bands that depend on the class, and their GeoTIFFs."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openstl_ext.atomic_io import atomic_path
from openstl_ext.rasters.opening import rasterio

UTM = "EPSG:32633"
CORNER = (500_000.0, 5_200_000.0)
"""Coordinates of the upper left corner of a raster, in metres."""


def draw_classes(rng: np.random.Generator, size: int, num_classes: int) -> NDArray[np.int64]:
    """Draw areas of classes, of which each covers about the same share.

    Args:
        rng: Source of random numbers.
        size: Rows and columns.
        num_classes: Number of classes.

    Shape:
        - returns: (size, size), indices of classes.
    """
    coarse = rng.random((max(size // 8, 2),) * 2)
    steps = np.arange(size) * len(coarse) // size
    ranks = coarse.ravel().argsort().argsort().reshape(coarse.shape)
    classes: NDArray[np.int64] = ranks * num_classes // coarse.size
    return classes[steps][:, steps]


def paint(
    rng: np.random.Generator, classes: NDArray[np.int64], levels: ArrayLike, noise: float
) -> NDArray[np.float32]:
    """Return an image in which each band has a level of each class, and noise.

    Args:
        rng: Source of random numbers.
        classes: Index of the class of each pixel.
        levels: Value of each band (C) at each class (K).
        noise: Standard deviation, as a share of the largest level.

    Shape:
        - classes: (H, W); levels: (K, C); returns: (C, H, W).
    """
    table = np.asarray(levels, np.float64)
    image = np.moveaxis(table[classes], -1, 0)
    return (image + rng.normal(0, noise * np.abs(table).max(), image.shape)).astype(np.float32)


def random_levels(
    rng: np.random.Generator, num_classes: int, low: ArrayLike, high: ArrayLike
) -> NDArray[np.float64]:
    """Draw well separated levels of classes for each band.

    Args:
        rng: Source of random numbers.
        num_classes: Number of classes K.
        low: Smallest level of each band (C).
        high: Largest level of each band (C).

    Shape:
        - returns: (K, C).
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    ranks = rng.permuted(np.tile(np.arange(num_classes), (len(low), 1)), axis=1).T
    return low + (high - low) * (ranks + 0.5) / num_classes


def write_raster(path: Path, values: NDArray[Any], *, crs: str = UTM, **profile: Any) -> None:
    """Write a GeoTIFF without more metadata than given; its folder is created.

    Args:
        path: Final name.
        values: Stored numbers (C, H, W); their type is that of the file.
        crs: Authority code of the CRS; empty for a raster without georeference.
        profile: Further creation options of rasterio, such as ``nodata`` or ``transform``.
    """
    rio = rasterio()
    count, height, width = values.shape
    options = {"driver": "GTiff", "dtype": values.dtype.name, "compress": "deflate"}
    options |= {"count": count, "height": height, "width": width}
    if crs:
        options |= {"crs": crs, "transform": rio.Affine(10, 0, CORNER[0], 0, -10, CORNER[1])}
    with warnings.catch_warnings(), atomic_path(path, suffix=".tif") as part:
        warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
        with rio.open(part, "w", **options | profile) as raster:
            raster.write(values)
