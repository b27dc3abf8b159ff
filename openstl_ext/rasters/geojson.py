"""Polygons and coordinate reference system of a GeoJSON file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.rasters.crs import WGS84, full_turn, named_crs

Rings = list[np.ndarray]
"""A polygon: its rings (N, 2), the outer one first."""
Position = Annotated[list[float], msgspec.Meta(min_length=2)]
WHOLE_TURN = 1 - 1e-5
"""Share of a turn from which an edge goes around the earth, as that of a box of the world."""


class _CRS(msgspec.Struct):
    """Member ``crs`` of files before RFC 7946: a name, a code, or a link."""

    type: str | None = None
    properties: dict[str, Any] = {}


class _Node(msgspec.Struct, tag_field="type", kw_only=True):
    crs: _CRS | msgspec.UnsetType | None = msgspec.UNSET


class _Polygon(_Node, tag="Polygon"):
    coordinates: list[list[Position]]


class _MultiPolygon(_Node, tag="MultiPolygon"):
    coordinates: list[list[list[Position]]]


class _Point(_Node, tag="Point"): ...


class _MultiPoint(_Node, tag="MultiPoint"): ...


class _Line(_Node, tag="LineString"): ...


class _MultiLine(_Node, tag="MultiLineString"): ...


class _Collection(_Node, tag="GeometryCollection"):
    geometries: list["_Document"]


class _Feature(_Node, tag="Feature"):
    geometry: "_Document | None"


class _FeatureCollection(_Node, tag="FeatureCollection"):
    features: list["_Document"]


_Areas = _Polygon | _MultiPolygon | _Collection | _Feature | _FeatureCollection
_Document = _Areas | _Point | _MultiPoint | _Line | _MultiLine


def read_polygons(
    path: Path | str, crs: str | None = None, *, may_be_empty: bool = False
) -> tuple[list[Rings], Any]:
    """Read the polygons of all features of a GeoJSON file; points and lines are ignored.

    Args:
        path: A FeatureCollection, a Feature or a geometry.
        crs: Authority code of the CRS; replaces that of the file.
        may_be_empty: Whether a file without a polygon is read as such, as labels may be.

    Returns:
        The polygons, and their CRS: by default longitude and latitude on WGS 84 (RFC 7946).

    Raises:
        DataError: If the file is not GeoJSON, has no polygon, a CRS that is not understood, or
            coordinates that cannot be in the CRS.
    """
    any_node: Any = _Document
    document = read_json(path, any_node, advice="a region is a GeoJSON file")
    try:
        nodes = list(_nodes(document))
    except RecursionError:
        raise DataError(f"{path}: geometries are nested too deeply; flatten them") from None
    polygons = [rings for node in nodes for rings in _polygons(node) if rings]
    if not polygons and not may_be_empty:
        raise DataError(f"{path} has no polygon, but a region needs at least one; add it")
    for ring in (ring for rings in polygons for ring in rings):
        if len(ring) < 4 or (ring[0] != ring[-1]).any():
            raise DataError(
                f"{path}: a ring of {len(ring)} positions is not closed; it needs at least "
                "four, the last equal to the first"
            )
    system = _system(path, nodes) if crs is None else named_crs(crs, what="--region-crs")
    if polygons and system.is_geographic:
        _check_degrees(path, polygons, full_turn(system) or 360.0)
    return polygons, system


def _nodes(node: Any) -> Iterator[Any]:
    """Yield a node and all below it."""
    yield node
    match node:
        case _FeatureCollection(features=inner) | _Collection(geometries=inner):
            for below in inner:
                yield from _nodes(below)
        case _Feature(geometry=below) if below is not None:
            yield from _nodes(below)


def _polygons(node: Any) -> Iterator[Rings]:
    """Yield the rings of every polygon of a geometry, without heights."""
    match node:
        case _Polygon(coordinates=rings):
            polygons = [rings]
        case _MultiPolygon(coordinates=polygons):
            pass
        case _:
            return
    for rings in polygons:
        yield [np.array([p[:2] for p in ring], np.float64).reshape(-1, 2) for ring in rings]


def _system(path: Path | str, nodes: list[Any]) -> Any:
    """Return the CRS that a file names, which must be one."""
    members = [node.crs for node in nodes if node.crs is not msgspec.UNSET]
    found = {_name_of(path, member) for member in members}
    if len(found) > 1:
        raise DataError(
            f"{path} names several CRSs ({', '.join(sorted(found))}); write it in one, or give "
            "--region-crs"
        )
    return named_crs(found.pop() if found else WGS84, what=f"the crs of {path}")


def _name_of(path: Path | str, member: _CRS | None) -> str:
    """Return the authority code or URN in a member ``crs``."""
    kind = (member.type or "name").lower() if member else None
    properties = member.properties if member else {}
    match kind:
        case "name" if isinstance(name := properties.get("name"), str):
            return name
        case "epsg" if isinstance(code := properties.get("code"), int | str):
            return f"EPSG:{str(code).upper().removeprefix('EPSG:')}"
        case "ogc" if isinstance(urn := properties.get("urn"), str):
            return urn
    raise DataError(
        f"{path}: crs is {msgspec.json.encode(member).decode()[:80]}, expected "
        '{"type": "name", "properties": {"name": "EPSG:32633"}}; give its code with --region-crs'
    )


def _check_degrees(path: Path | str, polygons: list[Rings], turn: float) -> None:
    """Refuse coordinates that are not longitude and latitude, and edges of two meanings."""
    points = np.concatenate([ring for rings in polygons for ring in rings])
    x, y = np.abs(points).max(axis=0)
    if not (x <= 1.5 * turn and y <= turn / 4 * (1 + 1e-9)):
        far = points[np.argmax((np.abs(points) / [1.5 * turn, turn / 4]).max(axis=1))]
        raise DataError(
            f"{path} has the position {far.tolist()}, but its coordinates are in degrees of "
            "longitude and latitude; give their CRS with --region-crs, as in EPSG:32633"
        )
    for ring in (ring for rings in polygons for ring in rings):
        width = np.abs(np.diff(ring[:, 0]))
        unclear = (width > turn / 2) & (width < turn * WHOLE_TURN)
        if unclear.any():
            place = int(unclear.argmax())
            west, east = ring[place, 0], ring[place + 1, 0]
            raise DataError(
                f"{path}: the edge from {west:g} to {east:g} degrees may go either way around the "
                f"earth; write {east + np.sign(west - east) * turn:g} for {east:g} if it crosses "
                "180 degrees, else add a position between its ends"
            )
