"""Open GeoTIFFs with rasterio: no other format, no network, no other file."""

import os
import re
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from openstl_ext.errors import DataError, UserError

CACHE_BYTES = 64 * 2**20
"""GDAL's cache of decoded blocks in a process; its default is a share of the machine's memory."""
MAX_BLOCK_BYTES = 2**30
"""Largest block of a file, which GDAL decodes as a whole."""
MAX_SIDE = 2**22
"""Most rows or columns, as a map holds a row of tiles in memory; 10 m at the equator are 4e6."""
MAX_PIXELS = 2**37
"""Largest raster; the land of the earth has 1.5e11 pixels of 30 m."""
REWRITE = "gdal_translate -of COG {0} new.tif"
MEANINGFUL = re.compile(
    rb"<(SRS|GeoTransform|GCPList|NoDataValue\w*|Scale|Offset|Description|ColorInterp)\b"
)
"""Elements of ``.aux.xml`` that change values or places; others are statistics and histograms."""


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

    GDAL looks at no file beside a raster either, such as overviews in another format. The
    environment variable GDAL_CACHEMAX takes precedence.
    """
    cache = {} if "GDAL_CACHEMAX" in os.environ else {"GDAL_CACHEMAX": CACHE_BYTES}
    env: AbstractContextManager[object] = rasterio().Env(
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", **cache
    )
    return env


def open_raster(path: Path | str) -> Any:
    """Open a GeoTIFF (COG included) for reading.

    Only the driver of GeoTIFF is used, because others, such as VRT, read files and addresses that
    the file names. GDAL does not look at files beside it: the mask ``<name>.msk`` is opened by
    ``open_mask``, statistics in ``<name>.aux.xml`` and overviews are ignored, and an ``.aux.xml``
    with other content is refused.

    Raises:
        DataError: If there is no such local file, it is not a GeoTIFF, a file beside it changes
            its values or places, or it declares more than it can hold.
    """
    path = Path(path).absolute()  # a name such as GTIFF_DIR:1:a.tif has a meaning for GDAL
    if not path.is_file():
        raise DataError(f"{path} is not a raster that can be read: No such file")
    rio = rasterio()
    with warnings.catch_warnings(), small_cache():
        warnings.simplefilter("ignore", rio.errors.NotGeoreferencedWarning)
        try:
            dataset = rio.open(path, driver="GTiff")
        except rio.errors.RasterioError as e:
            raise DataError(
                f"{path} is not a raster in the format GeoTIFF ({e}); convert another format with "
                f"`{REWRITE.format(path.name)}`"
            ) from e
    try:
        _check_sidecar(path)
        _check_declared(path, dataset)
    except DataError:
        dataset.close()
        raise
    return dataset


def open_mask(path: Path | str) -> Any:
    """Open the file ``<name>.msk`` with the validity of a raster; None if there is none.

    Raises:
        DataError: As ``open_raster``.
    """
    mask = Path(f"{path}.msk")
    return open_raster(mask) if mask.exists() else None


def _check_sidecar(path: Path) -> None:
    """Refuse an ``.aux.xml`` that changes values or places, which is not read."""
    sidecar = Path(f"{path}.aux.xml")
    if sidecar.is_file() and (found := MEANINGFUL.search(sidecar.read_bytes())):
        raise DataError(
            f"{sidecar} sets {found[1].decode()} of {path.name}, but only the GeoTIFF itself is "
            f"read; write both into one file with `{REWRITE.format(path.name)}`"
        )


def _check_declared(path: Path, dataset: Any) -> None:
    """Refuse sizes that need memory or time out of proportion to the file."""
    pixels = dataset.height * dataset.width
    samples = dataset.count if dataset.interleaving == rasterio().enums.Interleaving.pixel else 1
    rows, columns = dataset.block_shapes[0]
    block = rows * columns * samples * np.dtype(dataset.dtypes[0]).itemsize
    num_blocks = -(-dataset.height // rows) * -(-dataset.width // columns)
    if block > MAX_BLOCK_BYTES:
        reason = f"blocks of {rows} x {columns} pixels, {block:,} bytes in memory"
    elif max(dataset.shape) > MAX_SIDE or pixels > MAX_PIXELS or num_blocks > path.stat().st_size:
        reason = f"{num_blocks:,} blocks in a file of {path.stat().st_size:,} bytes"
    else:
        return
    raise DataError(
        f"{path}: {dataset.height} x {dataset.width} pixels are declared, with {reason}; if it "
        f"really has this size, divide it, or tile it with `{REWRITE.format(path.name)}`"
    )
