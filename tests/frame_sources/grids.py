"""Small netCDF, HDF5 and zarr files, written by the libraries of the formats."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

DAYS = np.arange("2000-02-27", "2000-03-03", dtype="datetime64[D]")
"""Five days of a leap year."""
LAT, LON = np.array([52.0, 51.0, 50.0]), np.array([4.0, 5.0, 6.0, 7.0])
KELVIN = 273.25 + 0.5 * np.arange(60, dtype=np.float32).reshape(5, 3, 4)
"""Temperatures (T, H, W) that scale and offset store exactly."""


def temperatures(**attrs: Any) -> xr.Dataset:
    """Return ``t2m`` with the axes time, lat and lon; its first value is missing."""
    values = KELVIN.copy()
    values[0, 0, 0] = np.nan
    return xr.Dataset(
        {"t2m": (("time", "lat", "lon"), values, {"units": "K", "long_name": "air", **attrs})},
        coords={
            "time": DAYS.astype("datetime64[ns]"),
            "lat": ("lat", LAT, {"units": "degrees_north"}),
            "lon": ("lon", LON, {"units": "degrees_east"}),
        },
    )


PACKED = {"dtype": "i2", "scale_factor": 0.5, "add_offset": 273.25, "_FillValue": -32767}


def write(path: Path, data: xr.Dataset, **encoding: Any) -> Path:
    """Write a dataset: ``.zarr``, ``.nc3`` as netCDF 3 under the name ``.nc``, else netCDF 4."""
    settings = {"encoding": {"t2m": encoding}} if encoding else {}
    if path.suffix == ".zarr":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr has no final form of texts
            data.to_zarr(path, zarr_format=3, consolidated=False, **settings)
    elif path.suffix == ".nc3":
        path = path.with_suffix(".nc")
        data.to_netcdf(path, engine="scipy", format="NETCDF3_CLASSIC", **settings)
    else:
        data.to_netcdf(path, engine="h5netcdf", **settings)
    return path


def expected() -> NDArray[np.float32]:
    """Return the frames (T, C, H, W) of ``temperatures``."""
    return temperatures()["t2m"].values[:, None]
