"""Write GeoTIFFs in windows, atomically."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.etree import ElementTree

import numpy as np

from openstl_ext.atomic_io import atomic_path, atomic_write
from openstl_ext.errors import DataError, UserError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import rasterio, small_cache
from openstl_ext.rasters.window import Window

SIDECARS = (".aux.xml", ".ovr", ".msk")
"""Files that GDAL reads with a raster; those of an older map of the same name are removed."""


class RasterWriter:
    """Write windows to a tiled, compressed GeoTIFF, renamed to its final name at the end.

    A value that equals ``nodata`` is read back as missing. Memory is that of a window and of
    GDAL's small cache. Windows should cover complete tiles: a tile that is written in parts is
    compressed several times and may use more space on disk.

    Args:
        path: Final name, ending in .tif; its folder is created.
        grid: Size, CRS and transform.
        num_bands: Number of bands.
        dtype: Type of a stored value.
        nodata: Value for no data, stored as the tag of the file; by default NaN, or for integers
            the largest value of an unsigned type and the smallest of a signed one.
        descriptions: Name of each band; none, or one per band.
        tags: Metadata to store in the file.
        block: Side of a tile, in pixels; a multiple of 16.
        scale: A value is the stored number times this, plus the offset; ``write`` takes values.
        offset: Added after scaling.

    Raises:
        UserError: If the file cannot be created.
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
        self.descriptions = tuple(descriptions)
        self.tags = dict(tags or {})
        self.block = block
        self.scale, self.offset = scale, offset
        self._categories: tuple[str, ...] = ()
        self._part: Path = self.path  # a temporary file while it is written
        self._files = ExitStack()
        self._handle: Any = None

    def __enter__(self) -> "RasterWriter":
        rio = rasterio()
        if str(self.path.absolute()).startswith("/vsi"):  # GDAL would write to the network
            raise UserError(f"{self.path} is not a local path; choose another output")
        self._part = self._files.enter_context(atomic_path(self.path, suffix=".tif"))
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
            self._close(e)
            if isinstance(e, rio.errors.RasterioError | rio.errors.CRSError):
                raise UserError(f"{self.path} cannot be written: {e}") from e
            raise
        return self

    @property
    def _scaled(self) -> bool:
        return (self.scale, self.offset) != (1, 0)

    def _profile(self) -> dict[str, Any]:
        """Return the creation options of rasterio."""
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
            "interleave": "band",  # otherwise a tile is written again for each band
            "compress": "deflate",
            "predictor": 3 if self.dtype.kind == "f" else 2,
            "bigtiff": "IF_SAFER",
        }

    def name_classes(self, names: Sequence[str], colors: Sequence[str]) -> None:
        """Store names and colours of the values 0, 1, ... of a uint8 map, before the first write.

        The colours are the palette of the file. TIFF has no place for the names: GDAL and QGIS
        read them as categories from ``<name>.tif.aux.xml``; they are also tags of the file and
        in the description of the band.

        Args:
            names: Name of each value.
            colors: Colour of each value, as in ``#0072b2``.
        """
        palette = {k: (*bytes.fromhex(color[1:]), 255) for k, color in enumerate(colors)}
        palette[int(self.nodata)] = (0, 0, 0, 0)
        listed = ", ".join(f"{k} {name}" for k, name in enumerate(names))
        with small_cache():
            self._handle.write_colormap(1, palette)
            self._handle.set_band_description(1, f"class: {listed}")
            self._handle.update_tags(1, **{f"class_{k}": name for k, name in enumerate(names)})
        self._categories = tuple(names)

    def write(self, array: np.ndarray, window: Window, band: int = 1) -> None:
        """Write the values of a window; the part beyond the edge is ignored.

        Args:
            array: Values; those that are not finite become nodata. For integer types they are
                rounded.
            window: Pixels of the values.
            band: Number of the band, counted from one.

        Shape:
            - array: (rows, columns).

        Raises:
            DataError: If a value does not fit into the type.
        """
        if array.shape != (window.height, window.width):  # GDAL would resample it
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
        """Convert values to the type of the file."""
        if self._scaled:
            array = (array.astype(np.float64) - self.offset) / self.scale
        finite = np.isfinite(array)
        if self.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return np.where(finite, array, self.nodata).astype(self.dtype)
        rounded = np.where(finite, array, 0)
        rounded = np.rint(rounded) if rounded.dtype.kind == "f" else rounded
        limits = np.iinfo(self.dtype)
        if rounded.min() < limits.min or rounded.max() > limits.max:
            raise DataError(
                f"{self.path}: {self.dtype} cannot store values from {rounded.min():g} to "
                f"{rounded.max():g}; choose a wider type"
            )
        return np.where(finite, rounded.astype(self.dtype), self.dtype.type(self.nodata))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        rio = rasterio()
        try:
            with small_cache():
                self._handle.close()
            if error is None:
                _check_complete(self._part, self.path)
        except BaseException as e:
            self._close(e)
            if isinstance(e, rio.errors.RasterioError):
                raise UserError(f"{self.path} cannot be written: {e}; free disk space") from e
            raise
        self._close(error)
        for ending in SIDECARS if error is None else ():
            with suppress(OSError):  # no file has so long a name
                self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        if error is None and self._categories:
            beside = self.path.with_name(f"{self.path.name}{SIDECARS[0]}")
            atomic_write(beside, _categories_xml(self._categories))

    def _close(self, error: BaseException | None) -> None:
        """Give the file its final name, or remove it after an error."""
        for ending in SIDECARS:  # GDAL writes them beside the temporary file
            self._part.with_name(self._part.name + ending).unlink(missing_ok=True)
        kind = None if error is None else type(error)
        self._files.__exit__(kind, error, None if error is None else error.__traceback__)


def _categories_xml(names: Sequence[str]) -> bytes:
    """Return GDAL's auxiliary metadata with the names of the values 0, 1, ... of the first band."""
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    categories = ElementTree.SubElement(band, "CategoryNames")
    for name in names:
        ElementTree.SubElement(categories, "Category").text = name
    ElementTree.indent(root)
    return ElementTree.tostring(root) + b"\n"


def _check_complete(part: Path, path: Path) -> None:
    """Reject a file that ends before its last tile.

    On a full disk GDAL closes a file without an error.
    """
    size = part.stat().st_size
    for band, place, offset, length in _blocks(part):
        if offset is None or int(offset) + int(length) > size:
            raise UserError(
                f"{path} is incomplete, tile {place} of band {band} is missing; free disk space"
            )


def _blocks(part: Path) -> Iterator[tuple[int, tuple[int, int], str | None, str]]:
    """Yield the position in the file of each tile of each band, as GDAL reports it."""
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
    """Return NaN, or the end of an integer type that data rarely reach."""
    if dtype.kind == "f":
        return float("nan")
    limits = np.iinfo(dtype)
    return limits.max if dtype.kind == "u" else limits.min
