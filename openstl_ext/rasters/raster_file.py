"""Open raster files with rasterio and read windows of them."""

import os
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from openstl_ext.errors import DataError, UserError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window

CACHE_BYTES = 64 * 2**20
"""GDAL's cache of decoded blocks in a process; its default is a share of the machine's memory."""


def rasterio() -> ModuleType:
    """Import and return the library rasterio.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import rasterio
        import rasterio.errors
        import rasterio.features
        import rasterio.warp
    except ImportError as e:
        raise UserError(f"rasters need rasterio ({e}): pip install rasterio") from e
    return rasterio


def small_cache() -> AbstractContextManager[object]:
    """Limit GDAL's cache of decoded blocks, so that memory does not grow with the raster.

    The environment variable GDAL_CACHEMAX takes precedence.
    """
    if "GDAL_CACHEMAX" in os.environ:
        return nullcontext()
    return rasterio().Env(GDAL_CACHEMAX=CACHE_BYTES)


class RasterFile:
    """Bands of one file as float32, NaN where there is no data.

    A forked worker must not use the handle of its parent, because both share the position in the
    file, and a handle cannot be pickled. Therefore each process opens its own at the first access.

    Args:
        path: A GeoTIFF, or another format of GDAL.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._handle: Any = None
        self._owner = -1
        self._grid: Grid | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_owner": -1}

    @property
    def dataset(self) -> Any:
        """Dataset that rasterio opened in this process.

        Raises:
            DataError: If there is no such file, or GDAL cannot read it.
        """
        if self._owner != os.getpid():
            self._handle, self._owner = _open(self.path), os.getpid()
        return self._handle

    @property
    def grid(self) -> Grid:
        """Grid of the pixels, cached."""
        if self._grid is None:
            self._grid = Grid.of(self.dataset)
        return self._grid

    def read(
        self, bands: Sequence[int], window: Window, *, nodata: Sequence[float | None]
    ) -> np.ndarray:
        """Read a window of some bands in one call to GDAL.

        A value is missing, thus NaN, if it equals the stored nodata value, is masked by the mask
        or alpha band, is not finite, or lies beyond the edge of the raster.

        Args:
            bands: Numbers of the bands, counted from one; all of one type.
            window: The pixels; it may extend beyond the edge.
            nodata: For each band a value that replaces that of the file; None keeps the latter.

        Shape:
            - returns: (bands, rows, columns), float32; integers beyond 2**24 are rounded.

        Raises:
            DataError: If the file is damaged.
        """
        out = np.full((len(bands), window.height, window.width), np.nan, np.float32)
        inside = window.meet(Window(0, 0, self.grid.height, self.grid.width))
        if inside is None:
            return out
        top, left = inside.row - window.row, inside.column - window.column
        part = out[:, top : top + inside.height, left : left + inside.width]
        raw, seen = self._stored(list(bands), inside)
        dataset = self.dataset
        for k, band in enumerate(bands):
            tag = dataset.nodatavals[band - 1] if nodata[k] is None else nodata[k]
            there = seen[k] & np.isfinite(raw[k]) & ~_equal(raw[k], tag)
            scale, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
            stored = np.where(there, raw[k], 0)
            values = stored if (scale, offset) == (1, 0) else stored * float(scale) + float(offset)
            part[k] = np.where(there, values, np.nan)
        return out

    def _stored(self, bands: list[int], window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Read stored numbers, and True where no mask band hides them."""
        dataset, rio = self.dataset, rasterio()
        place = (
            (window.row, window.row + window.height),
            (window.column, window.column + window.width),
        )
        try:
            with small_cache():
                raw = dataset.read(indexes=bands, window=place)
                seen = np.ones(raw.shape, bool)
                for k, band in enumerate(bands):
                    if rio.enums.MaskFlags.per_dataset in dataset.mask_flag_enums[band - 1]:
                        seen[k] = dataset.read_masks(band, window=place) != 0
        except rio.errors.RasterioError as e:
            raise DataError(f"{self.path} cannot be read at {window}: {e.__cause__ or e}") from e
        return raw, seen


def _open(path: Path | str) -> Any:
    """Open a dataset without rasterio's warning about a missing georeference."""
    rio = rasterio()
    with warnings.catch_warnings(), small_cache():
        warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
        try:
            return rio.open(path)
        except rio.errors.RasterioError as e:
            raise DataError(f"{path} is not a raster that GDAL can read: {e}") from e


def _equal(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """Compare stored numbers with the nodata value, which GDAL keeps as a double."""
    if nodata is None:
        return np.zeros(values.shape, bool)
    if np.issubdtype(values.dtype, np.floating):
        # -3.4028235e38 has more digits as a double than a float32 raster can store
        with np.errstate(over="ignore"):
            nodata = values.dtype.type(nodata)
    return np.asarray(values == nodata)
