"""Stores of zarr, formats 2 and 3: one array is the frames."""

import base64
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.frame_sources.container import Container, StoredVariable
from openstl_ext.frame_sources.grid_source import GridSource
from openstl_ext.frame_sources.libraries import library
from openstl_ext.frame_sources.netcdf import of_dataset
from openstl_ext.frame_sources.source import FrameSource, ReadOptions

MARKS = ("zarr.json", ".zgroup", ".zarray")
"""Files of which a store has one."""


def opens(path: Path) -> bool:
    """Return whether a folder is a store."""
    return path.is_dir() and any((path / mark).is_file() for mark in MARKS)


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open one array of a store; its name may be a path, as in ``group/frames``.

    Axes are named by ``dimension_names`` (format 3) or ``_ARRAY_DIMENSIONS`` (format 2). An array
    without them has the axes T, H, W, or those that ``options.axes`` states. Attributes of the CF
    conventions apply.

    Raises:
        DataError: If there is no such array, several are possible, or the order of its axes is
            not stated.
    """
    return GridSource(path, options, kind="zarr", opener=container)


def container(path: Path, variable: str | None) -> Container:
    """Open a store."""
    zarr, xr = (library(name, kind="zarr") for name in ("zarr", "xarray"))
    group = (variable or "").strip("/").rpartition("/")[0]
    settings = {"engine": "zarr", "decode_cf": False, "cache": False, "consolidated": False}
    try:
        data = xr.open_dataset(path, group=group or None, chunks=None, **settings)
    except (KeyError, zarr.errors.ContainsArrayError):  # an array without names of its axes
        return _plain(path, zarr)
    return of_dataset(path, data, group) if data.variables else _plain(path, zarr)


def _plain(path: Path, zarr: Any) -> Container:
    """Return all arrays of a store that xarray does not read as one group.

    In attributes, xarray writes a fill value of floats in base 64.
    """
    store = zarr.open(path, mode="r")
    members = {path.stem: store}
    if isinstance(store, zarr.Group):
        members = dict(store.members(max_depth=None))
    found = {}
    for name, one in members.items():
        if isinstance(one, zarr.Array):
            attrs = dict(one.attrs)
            if isinstance(fill := attrs.get("_FillValue"), str) and one.dtype.kind == "f":
                attrs["_FillValue"] = np.frombuffer(base64.b64decode(fill), "<f8")[0]
            dims = getattr(one.metadata, "dimension_names", None)
            dims = dims or attrs.pop("_ARRAY_DIMENSIONS", None) or ("",) * one.ndim
            found[name] = StoredVariable(
                dims=tuple(dim or "" for dim in dims),
                shape=one.shape,
                dtype=one.dtype,
                attrs=attrs,
                read=one.__getitem__,
            )
    return Container(path=path, variables=found, close=lambda: None)
