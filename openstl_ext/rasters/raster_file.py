"""Open raster files with rasterio and read windows of them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.fill_values import check_fill
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import open_mask, open_raster, rasterio, small_cache
from openstl_ext.rasters.window import Window


class RasterFile:
    """Bands of one file as float32, NaN where there is no data.

    A forked worker must not use the handle of its parent, because both share the position in the
    file, and a handle cannot be pickled. Therefore each process opens its own at the first access.

    Args:
        path: A GeoTIFF.
        codes: Whether the numbers are codes, such as classes, of which any may occur.
    """

    def __init__(self, path: Path | str, *, codes: bool = False) -> None:
        self.path = path
        self.codes = codes
        self._handle: Any = None
        self._mask: Any = None
        self._owner = -1
        self._grid: Grid | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handle": None, "_mask": None, "_owner": -1}

    @property
    def dataset(self) -> Any:
        """Dataset that rasterio opened in this process.

        Raises:
            DataError: If there is no such GeoTIFF, or its mask has another size.
        """
        if self._owner != os.getpid():
            self._handle, self._mask = open_raster(self.path), open_mask(self.path)
            if self._mask and self._mask.shape != self._handle.shape:
                raise DataError(
                    f"{self.path}.msk: size is {self._mask.shape}, expected {self._handle.shape} "
                    "as of the raster; write the mask again"
                )
            self._owner = os.getpid()
        return self._handle

    @property
    def grid(self) -> Grid:
        """Grid of the pixels, cached."""
        if self._grid is None:
            self._grid = Grid.of(self.dataset)
        return self._grid

    def read(
        self,
        bands: Sequence[int],
        window: Window,
        *,
        nodata: Sequence[float | None],
        num_values: int = 0,
    ) -> np.ndarray:
        """Read a window of some bands in one call to GDAL.

        A value is missing, thus NaN, if it equals the stored nodata value, is hidden by the mask
        in the file or beside it or by an alpha band, is not finite, or lies beyond the edge.

        Args:
            bands: Numbers of the bands, counted from one; all of one type.
            window: The pixels; it may extend beyond the edge.
            nodata: For each band a value that replaces that of the file; None keeps the latter.
            num_values: Number of the first bands that have values even if they are marked as alpha,
                as GDAL marks the fourth of four bands of bytes.

        Shape:
            - returns: (bands, rows, columns), float32; integers beyond 2**24 are rounded.

        Raises:
            DataError: If the file is damaged, or has a fill value that is not declared.
        """
        out = np.full((len(bands), window.height, window.width), np.nan, np.float32)
        inside = window.meet(Window(0, 0, self.grid.height, self.grid.width))
        if inside is None:
            return out
        top, left = inside.row - window.row, inside.column - window.column
        part = out[:, top : top + inside.height, left : left + inside.width]
        raw, seen = self._stored(list(bands), inside, num_values)
        dataset = self.dataset
        for k, band in enumerate(bands):
            tag = dataset.nodatavals[band - 1] if nodata[k] is None else nodata[k]
            there = seen[k] & np.isfinite(raw[k]) & ~equals_nodata(raw[k], tag)
            if not self.codes:
                check_fill(
                    raw[k][there],
                    place=f"{self.path}: band {band} at {inside}",
                    declare=f"for example with `rio edit-info --nodata VALUE {self.path}`",
                )
            scale, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
            stored = np.where(there, raw[k], 0)
            values = stored if (scale, offset) == (1, 0) else stored * float(scale) + float(offset)
            part[k] = np.where(there, values, np.nan)
        return out

    def _stored(
        self, bands: list[int], window: Window, num_values: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read stored numbers, and True where no mask or alpha band hides them."""
        dataset, rio = self.dataset, rasterio()
        place = (
            (window.row, window.row + window.height),
            (window.column, window.column + window.width),
        )
        if "complex" in dataset.dtypes[bands[0] - 1]:
            raise DataError(f"{self.path}: values are complex; write their amplitude to a raster")
        kinds = enumerate(dataset.colorinterp, start=1)
        marked = [band for band, kind in kinds if kind == rio.enums.ColorInterp.alpha]
        alpha = [band for band in marked if band > num_values]
        try:
            with small_cache():
                flags = dataset.mask_flag_enums
                raw = dataset.read(indexes=bands, window=place)
                seen = np.ones(raw.shape, bool)
                if alpha:
                    seen &= (dataset.read(indexes=alpha, window=place) != 0).all(axis=0)
                for k, band in enumerate(bands):
                    if rio.enums.MaskFlags.per_dataset in flags[band - 1] and alpha == marked:
                        seen[k] &= dataset.read_masks(band, window=place) != 0
                    if self._mask is not None:
                        number = band if self._mask.count >= band else 1
                        seen[k] &= self._mask.read(number, window=place) != 0
        except rio.errors.RasterioError as e:
            raise DataError(f"{self.path} cannot be read at {window}: {e.__cause__ or e}") from e
        return raw, seen


def equals_nodata(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """Compare stored numbers with the nodata value; none is equal that the type cannot hold."""
    if nodata is None:
        return np.zeros(values.shape, bool)
    if values.dtype.kind in "iu":  # as an integer, which is faster than as a double
        limits = np.iinfo(values.dtype)
        if not (limits.min <= nodata <= limits.max and nodata == int(nodata)):
            return np.zeros(values.shape, bool)
        nodata = int(nodata)
    elif values.dtype.kind == "f":
        # -3.4028235e38 has more digits as a double than a float32 raster can store
        with np.errstate(over="ignore"):
            nodata = values.dtype.type(nodata)
    return np.asarray(values == nodata)
