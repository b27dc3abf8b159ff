"""Names, order and coordinates of the axes of a stored variable, which its forecasts keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from openstl_ext.frame_sources.container import Container, StoredVariable
from openstl_ext.rasters.window import Window

USUAL = {"T": "time", "C": "channel", "H": "y", "W": "x"}
"""Names of axes that have none."""
PLACES = ("lat", "lon", "latitude", "longitude", "xlat", "xlong", "nav_lat", "nav_lon")
"""Coordinates of pixels that files without the attribute ``coordinates`` have."""
STORAGE = ("_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "valid_range")
"""Attributes of the stored numbers, which do not describe decoded values."""


@dataclass(frozen=True, kw_only=True)
class Coordinate:
    """Values along one axis, or of each pixel, or a CRS (no axis).

    Args:
        dims: Names of the axes.
        values: As stored.
        attrs: Attributes, such as ``units``.
    """

    dims: tuple[str, ...]
    values: NDArray[Any]
    attrs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a file says of a variable apart from its values.

    Args:
        variable: Name of the variable.
        attrs: Its attributes that describe decoded values, such as ``units``, ``long_name`` and
            ``grid_mapping``.
        order: Letters of the axes of a sequence as stored, such as ``THW``.
        dims: Name of each of these axes.
        coordinates: Coordinates of the axes other than time, by name.
        time_attrs: Attributes of the coordinate of time.
    """

    variable: str = "frames"
    attrs: Mapping[str, Any] = field(default_factory=dict)
    order: str = "TCHW"
    dims: tuple[str, ...] = tuple(USUAL.values())
    coordinates: Mapping[str, Coordinate] = field(default_factory=dict)
    time_attrs: Mapping[str, Any] = field(default_factory=dict)

    def cut(self, part: Window) -> "Layout":
        """Return the layout of a part of the frames: its coordinates are those of the part."""
        rows, columns = part.slices
        sides = {self.dims[self.order.index("H")]: rows, self.dims[self.order.index("W")]: columns}
        coordinates = {
            name: Coordinate(
                dims=one.dims,
                values=one.values[tuple(sides.get(dim, slice(None)) for dim in one.dims)],
                attrs=_moved(one.attrs, part),
            )
            for name, one in self.coordinates.items()
        }
        return replace(self, coordinates=coordinates)


def layout_of(container: Container, name: str, letters: str) -> Layout:
    """Return the layout of a variable.

    Args:
        container: Its file.
        name: The variable.
        letters: Letter of each of its axes; ``.`` for one that is left out.
    """
    variable = container.get(name)
    kept = [
        (letter, dim or USUAL[letter])
        for letter, dim in zip(letters, variable.dims, strict=True)
        if letter in USUAL
    ]
    time = next(dim for letter, dim in kept if letter == "T")
    places = {dim for _, dim in kept} - {time}
    found = {
        short(key): Coordinate(
            dims=tuple(map(short, other.dims)), values=other.values(), attrs=dict(other.attrs)
        )
        for key, other in _coordinates(container, name, places).items()
    }
    times = container.variables.get(time)
    return Layout(
        variable=short(name),
        attrs={key: value for key, value in variable.attrs.items() if key not in STORAGE},
        order="".join(letter for letter, _ in kept),
        dims=tuple(short(dim) for _, dim in kept),
        coordinates=found,
        time_attrs={} if times is None else dict(times.attrs),
    )


def _moved(attrs: Mapping[str, Any], part: Window) -> dict[str, Any]:
    """Return the attributes of a coordinate, with GDAL's transform of a part of the frames."""
    if "GeoTransform" not in attrs:
        return dict(attrs)
    c, a, b, f, d, e = map(float, str(attrs["GeoTransform"]).split())
    c, f = c + a * part.column + b * part.row, f + d * part.column + e * part.row
    return {**attrs, "GeoTransform": " ".join(map(repr, (c, a, b, f, d, e)))}


def short(name: str) -> str:
    """Return a name without its group."""
    return name.rpartition("/")[2]


def _coordinates(container: Container, name: str, dims: set[str]) -> dict[str, StoredVariable]:
    """Return the coordinates of the axes and pixels of a variable, and its CRS."""
    attrs = container.get(name).attrs
    wanted = {*dims, *str(attrs.get("coordinates", "")).split(), str(attrs.get("grid_mapping", ""))}
    return {
        key: other
        for key, other in container.variables.items()
        if key != name
        and (key in wanted or key.lower() in PLACES)
        and set(other.dims) <= dims
        and other.dtype.kind in "fiubUST"
    }
