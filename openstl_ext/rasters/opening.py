"""The one door to rasterio, which is an optional library."""

import os
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

from openstl_ext.errors import UserError

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
