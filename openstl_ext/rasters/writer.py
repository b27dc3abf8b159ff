"""A GeoTIFF written in windows, whole or not at all."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from openstl_ext.atomic_io import fsync_folder
from openstl_ext.errors import DataError, UserError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.raster_file import rasterio, small_cache
from openstl_ext.rasters.window import Window

SIDECARS = (".aux.xml", ".ovr", ".msk")
"""What GDAL reads along with a raster: of an older map of the same name, it would be wrong."""


class RasterWriter:
    """Stream windows into a tiled, compressed GeoTIFF, which gets its name when all is written.

    A value that equals ``nodata`` is read back as missing. Memory is that of a window and of
    GDAL's small cache. A window that covers whole blocks is written once; parts of a block are
    put together, and may take more room on disk.

    Args:
        path: Final name, ending in .tif; its folder is made.
        grid: Size, CRS and transform.
        num_bands: Number of bands.
        dtype: Type of a stored value.
        nodata: Value for no data, which becomes the tag of the file; by default NaN, or for
            integers the largest value of an unsigned type and the least of a signed one.
        descriptions: Name of each band; none, or one a band.
        tags: Facts to store in the file.
        block: Side of a tile, in pixels; a multiple of 16.
        scale: What a stored number is multiplied by to give a value; ``write`` takes values.
        offset: What is then added to it.

    Raises:
        UserError: If the file cannot be made, or ``nodata`` is no value of ``dtype``.
    """

    def __init__(
        self,
        path: Path | str,
        grid: Grid,
        *,
        num_bands: int = 1,
        dtype: str = "float32",
        nodata: float | None = None,
        descriptions: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        block: int = 256,
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self.path = Path(path)
        self.grid = grid
        self.num_bands = num_bands
        self.dtype = np.dtype(dtype)
        self.nodata = default_nodata(self.dtype) if nodata is None else nodata
        if not _holds(self.dtype, self.nodata):
            raise UserError(f"nodata {self.nodata} of {self.path} is no value of {self.dtype}")
        if descriptions and len(descriptions) != num_bands:
            raise UserError(
                f"{self.path} has {num_bands} bands but {len(descriptions)} descriptions"
            )
        self.descriptions = tuple(descriptions)
        self.tags = dict(tags or {})
        self.block = block
        self.scale, self.offset = scale, offset
        self._part = self.path.with_name(f"{self.path.stem}.part.tif")
        self._handle: Any = None

    def __enter__(self) -> "RasterWriter":
        rio = rasterio()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings(), small_cache():
                warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
                self._handle = rio.open(self._part, "w", **self._profile())
                for band, text in enumerate(self.descriptions, start=1):
                    self._handle.set_band_description(band, text)
                self._handle.update_tags(**self.tags)
                if self._scaled:
                    self._handle.scales = (self.scale,) * self.num_bands
                    self._handle.offsets = (self.offset,) * self.num_bands
        except BaseException as e:
            self._remove()
            if isinstance(e, rio.errors.RasterioError | rio.errors.CRSError):
                raise UserError(f"{self.path} cannot be written: {e}") from e
            raise
        return self

    @property
    def _scaled(self) -> bool:
        return (self.scale, self.offset) != (1, 0)

    def _profile(self) -> dict[str, Any]:
        """What rasterio is told of the file."""
        rio, grid = rasterio(), self.grid
        return {
            "driver": "GTiff",
            "height": grid.height,
            "width": grid.width,
            "count": self.num_bands,
            "dtype": self.dtype.name,
            "nodata": self.nodata,
            "crs": rio.crs.CRS.from_wkt(grid.crs) if grid.crs else None,
            "transform": rio.Affine(*grid.transform),
            "tiled": True,
            "blockxsize": self.block,
            "blockysize": self.block,
            "interleave": "band",  # else a block of one band is written again for each other
            "compress": "deflate",
            "predictor": 3 if self.dtype.kind == "f" else 2,
            "bigtiff": "IF_SAFER",
        }

    def write(self, array: np.ndarray, window: Window, band: int = 1) -> None:
        """Write the values of a window; what lies beyond the border is left out.

        Args:
            array: Values; not finite ones, such as NaN, become nodata. Integer types take the
                nearest whole number.
            window: Where they belong.
            band: Which band, counted from one.

        Shape:
            - array: (rows, columns).

        Raises:
            DataError: If a value does not fit into the type.
        """
        if array.shape != (window.height, window.width):
            raise ValueError(f"an array of {array.shape} does not fill {window}")
        inside = window.meet(Window(0, 0, self.grid.height, self.grid.width))
        if inside is None:
            return
        top, left = inside.row - window.row, inside.column - window.column
        values = self._stored(array[top : top + inside.height, left : left + inside.width])
        rows, columns = inside.slices
        place = ((rows.start, rows.stop), (columns.start, columns.stop))
        rio = rasterio()
        try:
            with small_cache():
                self._handle.write(values, band, window=place)
        except rio.errors.RasterioError as e:
            raise UserError(f"{self.path} cannot be written at {window}: {e}") from e

    def _stored(self, array: np.ndarray) -> np.ndarray:
        """Values in the type of the file."""
        if self._scaled:
            array = (array.astype(np.float64) - self.offset) / self.scale
        finite = np.isfinite(array)
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return np.where(finite, array, self.nodata).astype(self.dtype)
        whole = np.where(finite, array, 0)
        whole = np.rint(whole) if whole.dtype.kind == "f" else whole
        limits = np.iinfo(self.dtype)
        if whole.min() < limits.min or whole.max() > limits.max:
            raise DataError(
                f"values from {whole.min():g} to {whole.max():g} do not fit into {self.dtype} "
                f"of {self.path}"
            )
        return np.where(finite, whole.astype(self.dtype), self.dtype.type(self.nodata))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with small_cache():
                self._handle.close()
            if kind is None:
                self._finish()
        finally:
            self._remove()

    def _finish(self) -> None:
        """Give the file its name."""
        _check_whole(self._part, self.path)
        handle = os.open(self._part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self._part.replace(self.path)
        for ending in SIDECARS:
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        fsync_folder(self.path.parent)

    def _remove(self) -> None:
        """Leave nothing of an unfinished file."""
        for ending in ("", *SIDECARS):
            self._part.with_name(self._part.name + ending).unlink(missing_ok=True)


def _check_whole(part: Path, path: Path) -> None:
    """Refuse a file that ends before its blocks do.

    On a full disk GDAL closes a file as if nothing had happened.
    """
    size = part.stat().st_size
    for band, place, offset, length in _blocks(part):
        if offset is None or int(offset) + int(length) > size:
            raise UserError(
                f"{path} is not whole, block {place} of band {band} is missing; is the disk full?"
            )


def _blocks(part: Path) -> Iterator[tuple[int, tuple[int, int], str | None, str]]:
    """Where in the file each block of each band lies, as GDAL tells it."""
    rio = rasterio()
    with warnings.catch_warnings(), small_cache():
        warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
        with rio.open(part) as dataset:
            for band in dataset.indexes:
                for (i, j), _ in dataset.block_windows(band):
                    offset, length = (
                        dataset.get_tag_item(f"BLOCK_{what}_{j}_{i}", "TIFF", bidx=band)
                        for what in ("OFFSET", "SIZE")
                    )
                    yield band, (i, j), offset, length


def default_nodata(dtype: np.dtype) -> float:
    """NaN, or the end of an integer type that data least often reach."""
    if dtype.kind == "f":
        return float("nan")
    limits = np.iinfo(dtype)
    return limits.max if dtype.kind == "u" else limits.min


def _holds(dtype: np.dtype, value: float) -> bool:
    """Whether a type can store a value."""
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return float(value).is_integer() and limits.min <= value <= limits.max
