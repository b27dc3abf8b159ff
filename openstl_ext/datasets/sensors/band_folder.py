"""Images that are folders with a GeoTIFF for each band, as in BigEarthNet."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from skimage.transform import resize

from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window


def band_file(folder: Path, name: str) -> Path:
    """Return the file of a band: ``<folder>/<name of the folder>_<band>.tif``."""
    return folder / f"{folder.name}_{name}.tif"


def read_band_folder(folder: Path, sensor: Sensor) -> np.ndarray:
    """Read the bands of a sensor and resample them, bilinearly, to the size of the largest.

    Resampling a missing pixel would spread it, so the pixel of the result is missing whose nearest
    stored one is.

    Shape:
        - returns: (C, H, W), float32, in units of the files; NaN where there is no data.

    Raises:
        DataError: If a file is missing, is damaged, or has more than one band.
    """
    return merged([RasterFile(band_file(folder, band.name)) for band in sensor.bands])


def merged(rasters: Sequence[RasterFile]) -> np.ndarray:
    """Read rasters of one band each as ``read_band_folder`` does, and close them."""
    planes = [_plane(raster) for raster in rasters]
    height, width = (max(plane.shape[axis] for plane in planes) for axis in (0, 1))
    return np.stack([_enlarged(plane, (height, width)) for plane in planes])


def _plane(raster: RasterFile) -> np.ndarray:
    if raster.dataset.count != 1:
        raise DataError(
            f"{raster.path}: has {raster.dataset.count} bands, expected the one of its name"
        )
    grid = raster.grid
    (values,) = raster.read([1], Window(0, 0, grid.height, grid.width), nodata=[None])
    raster.dataset.close()
    return np.asarray(values)


def _enlarged(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if plane.shape == size:
        return plane
    known = np.isfinite(plane)
    filled = np.where(known, plane, plane[known].mean() if known.any() else 0)
    # beyond the centres of the outer pixels their values go on, as with GDAL; they are not mirrored
    values = resize(filled, size, order=1, mode="edge", preserve_range=True, anti_aliasing=False)
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, plane.shape, strict=True))
    seen = known[np.ix_(rows, columns)]
    return np.where(seen, values.astype(np.float32), np.float32(np.nan))
