"""Libraries of formats, which are imported when a file of the format is opened."""

import importlib
from types import ModuleType

from openstl_ext.errors import UserError

PACKAGES = {
    "netCDF": ("xarray", "h5netcdf"),
    "HDF5": ("xarray", "h5netcdf", "h5py"),
    "zarr": ("xarray", "zarr"),
}
"""Packages that read and write each format; the extra ``grids`` installs them all."""


def library(name: str, *, kind: str) -> ModuleType:
    """Import a library of a format.

    Args:
        name: One of the packages of the format.
        kind: The format, a key of ``PACKAGES``.

    Raises:
        UserError: If a package of the format is not installed.
    """
    try:
        for package in PACKAGES[kind]:
            importlib.import_module(package)
        return importlib.import_module(name)
    except ImportError as error:
        needed = " ".join(PACKAGES[kind])
        raise UserError(f"{kind} files need {needed} ({error}): pip install {needed}") from error
