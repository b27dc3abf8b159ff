"""Polygons of a GeoJSON file, and the part of a raster that they cover."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.rasters.grid import Grid, grid_pixels, grid_points
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window

GEOJSON_CRS = "EPSG:4326"
"""CRS of RFC 7946; older files may name another in the member ``crs``."""
TOLERANCE = 0.02
"""Largest distance of a straight edge from the reprojected one, in pixels."""
MAX_HALVINGS = 12
Ring = list[tuple[float, float]]
Position = Annotated[list[float], msgspec.Meta(min_length=2)]


class _CRSName(msgspec.Struct):
    name: str


class _CRS(msgspec.Struct):
    properties: _CRSName


class _Node(msgspec.Struct, tag_field="type", kw_only=True):
    crs: _CRS | None = None


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


@dataclass(frozen=True)
class Region:
    """Polygons on a grid.

    Args:
        polygons: Rings of each polygon in the CRS of the grid, the outer one first.
        window: Smallest window of the grid that contains all of them.
        grid: The grid.
    """

    polygons: list[list[Ring]]
    window: Window
    grid: Grid

    @classmethod
    def read(cls, path: Path | str, grid: Grid, *, crs: str | None = None) -> "Region":
        """Read the polygons of all features of a GeoJSON file.

        Points and lines have no area and are ignored. Long edges are divided before they are
        reprojected, because a straight line in one CRS is curved in another.

        Args:
            path: A FeatureCollection, a Feature or a geometry.
            grid: Grid of the raster.
            crs: CRS of the coordinates; replaces that of the file.

        Raises:
            DataError: If the file is not GeoJSON, has no polygon, names an unknown CRS, or lies
                outside of the raster.
        """
        any_node: Any = _Document
        document = read_json(path, any_node, advice="a region is a GeoJSON file")
        polygons = [rings for rings in _polygons(document) if rings]
        if not polygons:
            raise DataError(f"{path} has no polygon, but a region needs at least one; add it")
        for ring in (ring for rings in polygons for ring in rings):
            if len(ring) < 4 or ring[0] != ring[-1]:
                raise DataError(
                    f"{path}: a ring of {len(ring)} positions is not closed; it needs at least "
                    "four, the last equal to the first"
                )
        if grid.crs:
            named = document.crs.properties.name if document.crs else GEOJSON_CRS
            source = _system(crs or named, path)
            move = _Reprojection(source, grid, path)
            polygons = [[move.ring(ring) for ring in polygon] for polygon in polygons]
        window = _bounds(polygons, grid, path)
        return cls(polygons, window, grid)

    def mask(self, window: Window) -> np.ndarray:
        """Return which pixels of a window have their centre in a polygon; none beyond the edge.

        Shape:
            - returns: (rows, columns), bool.
        """
        out = np.zeros((window.height, window.width), bool)
        inside = window.meet(self.window)
        if inside is None:
            return out
        rio, (a, b, _, d, e, _) = rasterio(), self.grid.transform
        x, y = grid_points(self.grid, np.array(inside.column), np.array(inside.row))
        top, left = inside.row - window.row, inside.column - window.column
        out[top : top + inside.height, left : left + inside.width] = rio.features.geometry_mask(
            [{"type": "Polygon", "coordinates": polygon} for polygon in self.polygons],
            out_shape=(inside.height, inside.width),
            transform=rio.Affine(a, b, float(x), d, e, float(y)),
            invert=True,
        )
        return out


def _polygons(node: Any) -> Iterator[list[Ring]]:
    """Yield the rings of every polygon of a document, without heights."""
    match node:
        case _FeatureCollection(features=nodes) | _Collection(geometries=nodes):
            for inner in nodes:
                yield from _polygons(inner)
        case _Feature(geometry=inner):
            yield from _polygons(inner)
        case _Polygon(coordinates=rings):
            yield [[(p[0], p[1]) for p in ring] for ring in rings]
        case _MultiPolygon(coordinates=polygons):
            yield from ([[(p[0], p[1]) for p in ring] for ring in rings] for rings in polygons)


def _system(crs: str, path: Path | str) -> Any:
    """Parse the name of a CRS."""
    rio = rasterio()
    try:
        return rio.crs.CRS.from_user_input(crs)
    except rio.errors.CRSError as e:
        raise DataError(f"the region {path} has the unknown CRS {crs!r}; correct the name") from e


class _Reprojection:
    """Transform rings from the CRS of a file to that of a grid, dividing edges that would curve."""

    def __init__(self, source: Any, grid: Grid, path: Path | str) -> None:
        self.source = source
        self.target = rasterio().crs.CRS.from_wkt(grid.crs)
        self.grid = grid
        self.path = path

    def ring(self, ring: Ring) -> Ring:
        """Transform one ring to the CRS of the grid."""
        if self.source == self.target:
            return ring
        points = np.array(ring)
        moved = self._move(points)
        for _ in range(MAX_HALVINGS):
            middles = (points[:-1] + points[1:]) / 2
            moved_middles = self._move(middles)
            straight = (moved[:-1] + moved[1:]) / 2
            offset = np.abs(self._pixels(moved_middles) - self._pixels(straight)).max(axis=1)
            bent = np.flatnonzero(offset > TOLERANCE)
            if not len(bent):
                break
            points = np.insert(points, bent + 1, middles[bent], axis=0)
            moved = np.insert(moved, bent + 1, moved_middles[bent], axis=0)
        return [(float(x), float(y)) for x, y in moved]

    def _move(self, points: np.ndarray) -> np.ndarray:
        rio = rasterio()
        try:
            moved = rio.warp.transform(self.source, self.target, *points.T.tolist())
        except rio._err.CPLE_BaseError:
            moved = np.nan  # GDAL raises for some points and returns infinity for others
        if not np.isfinite(moved).all():
            raise DataError(
                f"the region {self.path} has points outside the domain of the raster's CRS; check "
                f"that its coordinates are in {self.source}"
            )
        return np.stack(moved, axis=1)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return np.stack(grid_pixels(self.grid, *points.T), axis=1)


def _bounds(polygons: list[list[Ring]], grid: Grid, path: Path | str) -> Window:
    """Compute the smallest window of the grid that contains all polygons."""
    points = np.array([p for polygon in polygons for ring in polygon for p in ring])
    # a reprojected vertex on a pixel edge is off by a nanometre
    pixels = np.stack(grid_pixels(grid, *points.T)).round(6)
    (left, top), (right, bottom) = np.floor(pixels.min(1)), np.ceil(pixels.max(1))
    box = Window(int(top), int(left), int(bottom - top), int(right - left))
    window = box.meet(Window(0, 0, grid.height, grid.width))
    if window is None:
        corners = np.array([(0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)])
        raise DataError(
            f"the region {path} lies outside of the raster:\n"
            f"  region: {_extent(points)}\n"
            f"  raster: {_extent(np.stack(grid_points(grid, *corners.T), axis=1))}\n"
            f"  ({grid.describe()})"
        )
    return window


def _extent(points: np.ndarray) -> str:
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return f"x {x0:.10g} to {x1:.10g}, y {y0:.10g} to {y1:.10g}"
