"""netCDF, HDF5 and zarr with the coordinates of the inputs, read by xarray and GIS programs."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_folder, atomic_write
from openstl_ext.frame_sinks.output import Output
from openstl_ext.frame_sources.layout import USUAL, Coordinate, Layout
from openstl_ext.frame_sources.libraries import library
from openstl_ext.rasters.grid import Grid

LEAD = {"long_name": "frames after the last input", "units": "1"}
OF_TIMES = ("standard_name", "long_name", "axis")
"""Attributes of the coordinate of time that are kept; units and calendar follow from the dates."""
CRS = "spatial_ref"


def write_netcdf(path: Path, output: Output) -> None:
    """Write netCDF 4."""
    _write_file(path, output, kind="netCDF")


def write_hdf5(path: Path, output: Output) -> None:
    """Write HDF5 with scales of the axes, which is netCDF 4 as well."""
    _write_file(path, output, kind="HDF5")


def write_zarr(path: Path, output: Output) -> None:
    """Write a store of zarr, format 3."""
    library("zarr", kind="zarr")
    with atomic_folder(path) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no final form of texts and of consolidated metadata
        data, encoding = dataset_of(output, kind="zarr")
        data.to_zarr(part, mode="a", zarr_format=3, consolidated=True, encoding=encoding)


def _write_file(path: Path, output: Output, *, kind: str) -> None:
    data, encoding = dataset_of(output, kind=kind)
    name = next(iter(data.data_vars))
    encoding[str(name)] |= {"zlib": True, "complevel": 4}
    # in memory, because HDF5 refuses a file that is locked, as those of atomic_io are
    atomic_write(path, data.to_netcdf(engine="h5netcdf", encoding=encoding))


def dataset_of(output: Output, *, kind: str) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Return a dataset of xarray with the frames as its first variable, and its encoding.

    Axes have the order and names of the inputs. Times that are unknown are the numbers of the
    leads, from 1.

    Args:
        output: The frames.
        kind: Format, a key of ``PACKAGES``, for the message on an absent package.

    Raises:
        UserError: If a package of the format is not installed.
    """
    xr = library("xarray", kind=kind)
    layout = output.layout or _layout_of_grid(output.grid)
    order, dims = layout.order, layout.dims
    frames = output.frames
    if "C" not in order and len(output.channels) > 1:
        order, dims = f"C{order}", (USUAL["C"], *dims)
    if "C" not in order:
        frames, present = frames[:, 0], "THW"
    else:
        present = "TCHW"
    values = frames.transpose([present.index(letter) for letter in order])
    units = {channel.unit for channel in output.channels}
    attrs = {k: v for k, v in layout.attrs.items() if k not in ("units", "coordinates")}
    attrs |= {"units": units.pop()} if len(units) == 1 else {}
    variables = {layout.variable: (dims, np.asarray(values, np.float32), attrs)}
    coordinates: dict[str, Any] = {}
    for name, one in layout.coordinates.items():
        target = variables if name == layout.attrs.get("grid_mapping") else coordinates
        target[name] = (one.dims, one.values, dict(one.attrs))
    time = dims[order.index("T")]
    coordinates[time] = (time, *_times(output, layout))
    if "C" in order and (channel := dims[order.index("C")]) not in coordinates:
        labels = np.array([one.label for one in output.channels])
        coordinates[channel] = (channel, labels, {"long_name": "channel"})
    encoding: dict[str, dict[str, Any]] = {
        name: {"_FillValue": None}  # xarray would give one to each coordinate of floats
        for name, (_, found, attrs) in coordinates.items()
        if found.dtype.kind == "f" and "_FillValue" not in attrs
    }
    encoding[layout.variable] = {"_FillValue": np.float32("nan")}
    return xr.Dataset(variables, coordinates), encoding


def _times(output: Output, layout: Layout) -> tuple[Any, dict[str, Any]]:
    """Return values and attributes of the coordinate of time."""
    if output.times is None:
        return np.arange(1, len(output.frames) + 1), dict(LEAD)
    attrs = {key: value for key, value in layout.time_attrs.items() if key in OF_TIMES}
    if output.times.dtype == "M8[Y]" and "units" not in layout.time_attrs:
        return output.times.astype(np.int64) + 1970, attrs
    return output.times.astype("M8[ns]"), attrs


def _layout_of_grid(grid: Grid | None) -> Layout:
    """Return a layout with the coordinates of the centres of pixels; numbers without a grid."""
    if grid is None or grid.transform[1] or grid.transform[3]:
        return Layout()
    a, _, c, _, e, f = grid.transform
    places = {
        "x": Coordinate(dims=("x",), values=c + a * (np.arange(grid.width) + 0.5), attrs={}),
        "y": Coordinate(dims=("y",), values=f + e * (np.arange(grid.height) + 0.5), attrs={}),
    }
    if not grid.crs:
        return Layout(coordinates=places)
    transform = " ".join(map(repr, (c, a, 0.0, f, 0.0, e)))
    attrs = {"crs_wkt": grid.crs, "spatial_ref": grid.crs, "GeoTransform": transform}
    crs = {CRS: Coordinate(dims=(), values=np.array(0), attrs=attrs)}
    return Layout(attrs={"grid_mapping": CRS}, coordinates={**places, **crs})
