"""HDF5: one dataset is the frames."""

from pathlib import Path
from typing import Any

from openstl_ext.frame_sources.container import Container, StoredVariable
from openstl_ext.frame_sources.grid_source import GridSource
from openstl_ext.frame_sources.libraries import library
from openstl_ext.frame_sources.source import FrameSource, ReadOptions

SUFFIXES = (".h5", ".hdf5", ".he5", ".hdf")
INTERNAL = ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "DIMENSION_LABELS")
"""Attributes by which HDF5 attaches coordinates to axes."""


def opens(path: Path) -> bool:
    """Return whether a path is an HDF5 file by its name."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open one dataset of a file; its name may be a path, as in ``group/frames``.

    The names of axes are their labels or attached scales. A dataset without them has the axes
    T, H, W, or those that ``options.axes`` states. Attributes of the CF conventions apply.

    Raises:
        DataError: If there is no such dataset, several are possible, or the order of its axes is
            not stated.
    """
    return GridSource(path, options, kind="HDF5", opener=container)


def container(path: Path, variable: str | None) -> Container:
    """Open a file; all its groups are searched."""
    h5py = library("h5py", kind="HDF5")
    file = h5py.File(path, "r")
    found: dict[str, StoredVariable] = {}

    def visit(name: str, one: Any) -> None:
        if isinstance(one, h5py.Dataset) and one.shape is not None:
            found[name] = StoredVariable(
                dims=_dims(one, name),
                shape=one.shape,
                dtype=one.dtype,
                attrs=_attrs(h5py, one),
                read=one.__getitem__,
            )

    file.visititems(visit)
    if variable is not None and variable.strip("/") in found:
        found.setdefault(variable, found[variable.strip("/")])
    return Container(path=path, variables=found, close=file.close)


def _dims(dataset: Any, name: str) -> tuple[str, ...]:
    """Return the names of the axes, by which their coordinates are found."""
    if dataset.is_scale and dataset.ndim == 1:
        return (name,)
    names = []
    for axis in dataset.dims:
        scales = axis.values()
        names.append(scales[0].name.strip("/") if scales else axis.label)
    return tuple(names)


def _attrs(h5py: Any, dataset: Any) -> dict[str, Any]:
    """Return the attributes as texts and numbers."""
    found = {}
    for key in dataset.attrs:
        if key in INTERNAL or key.startswith("_Netcdf4"):
            continue
        value = dataset.attrs[key]
        if isinstance(value, h5py.Empty):
            continue
        if getattr(value, "shape", None) == (1,):
            value = value[0]
        found[key] = value.decode(errors="replace") if isinstance(value, bytes) else value
    return found
