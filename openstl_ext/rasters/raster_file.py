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
"""What GDAL may keep of decoded blocks in a process; its default is a share of the machine."""


def rasterio() -> ModuleType:
    """The library, imported at the first call.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import rasterio
        import rasterio.errors
        import rasterio.features
        import rasterio.warp
    except ImportError as e:
        raise UserError(
            f"rasters are read with rasterio ({e}): pip install 'openstl_ext[geo]'"
        ) from e
    return rasterio


def small_cache() -> AbstractContextManager[object]:
    """A block in which GDAL keeps few decoded blocks, so that memory is flat on any raster.

    Who sets the environment variable GDAL_CACHEMAX decides instead.
    """
    if "GDAL_CACHEMAX" in os.environ:
        return nullcontext()
    return rasterio().Env(GDAL_CACHEMAX=CACHE_BYTES)


class RasterFile:
    """Bands of one file as float32, NaN where there is no data.

    A handle is no use to a forked worker, which would share its position in the file with the
    parent, nor can it be pickled; so each process opens its own at its first look.

    Args:
        path: A GeoTIFF, or whatever else GDAL opens.
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
        """What rasterio opened in this process.

        Raises:
            DataError: If there is no such file, or GDAL cannot read it.
        """
        if self._owner != os.getpid():
            self._handle, self._owner = _open(self.path), os.getpid()
        return self._handle

    @property
    def grid(self) -> Grid:
        """Where the pixels lie; asked of the file once."""
        if self._grid is None:
            self._grid = Grid.of(self.dataset)
        return self._grid

    def check_band(self, band: int) -> None:
        """Refuse a band that the file does not have, or whose values are no real numbers."""
        count = self.dataset.count
        if not 1 <= band <= count:
            raise DataError(f"{self.path} has no band {band}; its bands are 1 to {count}")
        if "complex" in (dtype := self.dataset.dtypes[band - 1]):
            raise DataError(f"band {band} of {self.path} holds {dtype}, not real numbers")

    def read(
        self, bands: Sequence[int], window: Window, *, nodata: Sequence[float | None]
    ) -> np.ndarray:
        """Values of some bands in a window, in one call to GDAL.

        Missing, and so NaN, is what equals the nodata value as stored, what the mask or alpha
        band hides, what is not finite, and what lies beyond the border.

        Args:
            bands: Which, counted from one; all of one type.
            window: It may reach beyond the border.
            nodata: For each band a value to take instead of the one in the file; None for that.

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
        """Numbers as stored, and True where no mask band hides them."""
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
    """A dataset of rasterio; an image without georeference is no reason to warn."""
    rio = rasterio()
    with warnings.catch_warnings(), small_cache():
        warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
        try:
            return rio.open(path)
        except rio.errors.RasterioError as e:
            local = "://" not in str(path) and not str(path).startswith("/vsi")
            if local and not Path(path).exists():
                raise DataError(f"no raster at {path}") from e
            raise DataError(f"{path} is not a raster that GDAL can read: {e}") from e


def _equal(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """Where stored numbers are the nodata value, which GDAL keeps as a double."""
    if nodata is None:
        return np.zeros(values.shape, bool)
    if np.issubdtype(values.dtype, np.floating):
        # -3.4028235e38 has more digits as a double than a float32 raster can hold
        with np.errstate(over="ignore"):
            nodata = values.dtype.type(nodata)
    return np.asarray(values == nodata)
