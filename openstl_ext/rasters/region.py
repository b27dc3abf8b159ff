"""The part of a raster that polygons cover."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.grid import Grid, grid_pixels, grid_points
from openstl_ext.rasters.raster_file import rasterio
from openstl_ext.rasters.window import Window

GEOJSON_CRS = "EPSG:4326"
"""What RFC 7946 demands; files of before may name another in a member ``crs``."""
STRAIGHT = 0.02
"""By how many pixels an edge may pass beside where the reprojected one runs."""
MAX_HALVINGS = 12
Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class Region:
    """Polygons on a grid.

    Args:
        polygons: Rings of each polygon in the CRS of the grid, the outer one first.
        window: The least window of the grid that holds all of them.
        grid: The grid that they were brought to.
    """

    polygons: list[list[Ring]]
    window: Window
    grid: Grid

    @classmethod
    def read(cls, path: Path | str, grid: Grid, *, crs: str | None = None) -> "Region":
        """Read the polygons of a GeoJSON file, however many features hold them.

        Points and lines among them have no area and are left out. Long edges are cut before
        they are reprojected, for a straight line on one map is bent on another.

        Args:
            path: A FeatureCollection, a Feature or a geometry.
            grid: Of the raster on which the region is marked.
            crs: CRS of the coordinates, instead of what the file says.

        Raises:
            DataError: If the file is no GeoJSON, has no polygon, names a CRS that is none, or
                lies outside of the raster.
        """
        document = _load(path)
        polygons = [
            p for geometry in _geometries(document, path) for p in _polygons(geometry, path)
        ]
        if not polygons:
            raise DataError(f"{path} has no polygon; a region is one or more of them")
        if grid.crs:
            source = _system(crs or _named_crs(document) or GEOJSON_CRS, path)
            move = _Reprojection(source, grid, path)
            polygons = [[move.ring(ring) for ring in polygon] for polygon in polygons]
        window = _bounds(polygons, grid, path)
        return cls(polygons, window, grid)

    def mask(self, window: Window) -> np.ndarray:
        """Which pixels of a window have their centre in a polygon; none beyond the border.

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


def _load(path: Path | str) -> dict[str, Any]:
    """The JSON of a file."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError as e:
        raise DataError(f"no region at {path}") from e
    except (OSError, ValueError) as e:
        raise DataError(f"{path} is no GeoJSON: {e}") from e
    if not isinstance(document, dict) or "type" not in document:
        raise DataError(f"{path} is no GeoJSON: it has no `type`")
    return document


def _geometries(node: Any, path: Path | str) -> Iterator[dict[str, Any]]:
    """Every geometry of a document, collections taken apart."""
    kind = node.get("type") if isinstance(node, dict) else None
    try:
        if kind == "FeatureCollection":
            for feature in node["features"]:
                yield from _geometries(feature, path)
        elif kind == "Feature":
            if node["geometry"] is not None:  # a feature may have no place
                yield from _geometries(node["geometry"], path)
        elif kind == "GeometryCollection":
            for geometry in node["geometries"]:
                yield from _geometries(geometry, path)
        elif kind in {"Polygon", "MultiPolygon"}:
            yield node
        elif kind not in {"Point", "MultiPoint", "LineString", "MultiLineString"}:
            raise DataError(f"{path} is no GeoJSON: {kind!r} is no type of a geometry or feature")
    except (KeyError, TypeError) as e:
        raise DataError(f"{path} is no GeoJSON: a {kind} lacks {e}") from e


def _polygons(geometry: dict[str, Any], path: Path | str) -> list[list[Ring]]:
    """Rings of each polygon of a geometry, heights left out."""
    try:
        nested = geometry["coordinates"]
        nested = [nested] if geometry["type"] == "Polygon" else nested
        polygons = [
            [[(float(p[0]), float(p[1])) for p in ring] for ring in polygon]
            for polygon in nested
            if polygon
        ]
    except (KeyError, TypeError, ValueError, IndexError) as e:
        raise DataError(f"{path} is no GeoJSON: a polygon has no list of positions") from e
    for polygon in polygons:
        for ring in polygon:
            if len(ring) < 4 or ring[0] != ring[-1] or not np.isfinite(ring).all():
                raise DataError(
                    f"{path} is no GeoJSON: a ring of {len(ring)} positions is not closed; it "
                    "needs four, the last equal to the first"
                )
    return polygons


def _named_crs(document: dict[str, Any]) -> str | None:
    """The CRS that a file of before RFC 7946 names."""
    crs = document.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return str(name) if name else None


def _system(crs: str, path: Path | str) -> Any:
    """What rasterio makes of the name of a CRS."""
    rio = rasterio()
    try:
        return rio.crs.CRS.from_user_input(crs)
    except rio.errors.CRSError as e:
        raise DataError(f"the region {path} is said to be in CRS {crs!r}, which is none") from e


class _Reprojection:
    """From the CRS of a file to that of a grid, edges cut where they would bend."""

    def __init__(self, source: Any, grid: Grid, path: Path | str) -> None:
        self.source = source
        self.target = rasterio().crs.CRS.from_wkt(grid.crs)
        self.grid = grid
        self.path = path

    def ring(self, ring: Ring) -> Ring:
        """One ring in the CRS of the grid."""
        if self.source == self.target:
            return ring
        points = np.array(ring)
        moved = self._move(points)
        for _ in range(MAX_HALVINGS):
            middles = (points[:-1] + points[1:]) / 2
            moved_middles = self._move(middles)
            straight = (moved[:-1] + moved[1:]) / 2
            offset = np.abs(self._pixels(moved_middles) - self._pixels(straight)).max(axis=1)
            bent = np.flatnonzero(offset > STRAIGHT)
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
            moved = np.nan  # GDAL raises for some points, and gives others back as infinite
        if not np.isfinite(moved).all():
            raise DataError(
                f"the region {self.path} has points that the raster's CRS cannot show; are its "
                f"coordinates really in {self.source}?"
            )
        return np.stack(moved, axis=1)

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return np.stack(grid_pixels(self.grid, *points.T), axis=1)


def _bounds(polygons: list[list[Ring]], grid: Grid, path: Path | str) -> Window:
    """The least window of the grid that holds all polygons."""
    points = np.array([p for polygon in polygons for ring in polygon for p in ring])
    # a border on an edge of pixels comes back from a reprojection a nanometre beside it
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
