"""netCDF, versions 3 and 4: one variable is the frames."""

from pathlib import Path
from typing import Any

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.container import Container, Key, StoredVariable
from openstl_ext.frame_sources.grid_source import GridSource
from openstl_ext.frame_sources.libraries import library
from openstl_ext.frame_sources.source import FrameSource, ReadOptions

SUFFIXES = (".nc", ".nc4", ".cdf", ".netcdf")


def opens(path: Path) -> bool:
    """Return whether a path is a netCDF file by its name."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open one variable of a file.

    Channels:
        The levels or bands of the variable, or itself. Units are those of the attribute
        ``units``; ``_FillValue``, ``missing_value``, ``scale_factor`` and ``add_offset`` apply.

    Raises:
        DataError: If there is no such variable, several are possible, or it has no axis of time.
    """
    return GridSource(path, options, kind="netCDF", opener=container)


def container(path: Path, variable: str | None) -> Container:
    """Open a file.

    Args:
        path: The file.
        variable: Name of the wanted variable; one in a group is ``group/name``.
    """
    with path.open("rb") as file:
        head = file.read(4)
    engines = {b"CDF\x01": "scipy", b"CDF\x02": "scipy", b"\x89HDF": "h5netcdf"}
    if head not in engines:
        raise DataError(
            f"{path}: is not netCDF 3 or 4; if it is another kind of netCDF, convert it with "
            f"`nccopy -k nc4 {path.name} new.nc`"
        )
    xr = library("xarray", kind="netCDF")
    group = (variable or "").strip("/").rpartition("/")[0]
    settings: dict[str, Any] = {"group": group} if group else {}
    data = xr.open_dataset(path, engine=engines[head], decode_cf=False, cache=False, **settings)
    return of_dataset(path, data, group)


def of_dataset(path: Path, data: Any, group: str = "") -> Container:
    """Return the arrays of a dataset of xarray, which is not decoded.

    Args:
        path: Its file.
        data: The dataset.
        group: Group of the file that it is.
    """
    found = {}
    for name, array in data.variables.items():
        found[str(name)] = StoredVariable(
            dims=tuple(map(str, array.dims)),
            shape=array.shape,
            dtype=array.dtype,
            attrs=array.attrs,
            read=_reader(array),
        )
    grouped = {f"{group}/{name}": one for name, one in found.items() if len(one.shape) >= 3}
    both = {**found, **grouped, **{f"/{key}": one for key, one in grouped.items()}}
    return Container(path=path, variables=both if group else found, close=data.close)


def _reader(array: Any) -> Any:
    def read(key: Key) -> Any:
        return array[key].values

    return read
