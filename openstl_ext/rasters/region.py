"""The part of a raster that the polygons of a GeoJSON file cover."""

from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.rasters.crs import full_turn, parsed_crs, transformed
from openstl_ext.rasters.geojson import read_polygons
from openstl_ext.rasters.grid import NO_TRANSFORM, Grid, grid_pixels, grid_points
from openstl_ext.rasters.polygons import Polygons
from openstl_ext.rasters.window import Window, pixel_centres

LEAF = 32
"""Side of a part of the raster whose pixels are tested one by one, in pixels."""
BLOCK = 256
"""Side of a part that is outside of a projection's domain if its lattice is."""
LATTICE = 9
"""Positions along each axis of a part that locate it."""
SAMPLES = 100
"""Positions along each axis of the region that show its share outside of the raster."""
FAR = 1 / 8
"""Share of a turn between neighbours of the lattice from which its pixels are tested anyway."""


@dataclass(frozen=True)
class Region:
    """Polygons, and the pixels of a grid whose centres are in one.

    The pixels are transformed to the CRS of the polygons, so that edges stay as they are drawn,
    and poles, 180 degrees and the domain of a projection need no cut. Longitudes are equal
    modulo 360 degrees.

    Args:
        polygons: The polygons.
        grid: The grid.
        crs: CRS of the polygons; None for coordinates of a grid without CRS.
        path: The file, for messages.
    """

    polygons: Polygons
    grid: Grid
    crs: Any
    path: Path | str

    @classmethod
    def read(cls, path: Path | str, grid: Grid, *, crs: str | None = None) -> "Region":
        """Read the polygons of all features of a GeoJSON file.

        Coordinates are columns and rows for a grid without a georeference.

        Args:
            path: A FeatureCollection, a Feature or a geometry.
            grid: Grid of the raster.
            crs: Authority code of the CRS of the coordinates; replaces that of the file.

        Raises:
            DataError: If the file is not GeoJSON, has no polygon or a CRS that is not understood,
                or has no pixel of the raster; or the raster has a transform without a CRS.
        """
        polygons, system = read_polygons(path, crs)
        if not grid.crs and (grid.transform != NO_TRANSFORM or crs):
            raise DataError(
                f"the raster has no CRS ({grid.describe()}), so that the region {path} has no "
                "place in it; assign the CRS of the raster, for example with gdal_edit.py -a_srs"
            )
        turn = full_turn(system) if grid.crs else None
        region = cls(Polygons(polygons, turn), grid, system if grid.crs else None, path)
        _ = region.window  # found at once, so that a region without a pixel is an error
        return region

    def mask(self, window: Window) -> np.ndarray:
        """Return which pixels of a window have their centre in a polygon; none beyond the edge.

        Shape:
            - returns: (rows, columns), bool.
        """
        out = np.zeros((window.height, window.width), bool)
        if inside := window.meet(Window(0, 0, self.grid.height, self.grid.width)):
            top, left = inside.row - window.row, inside.column - window.column
            out[top : top + inside.height, left : left + inside.width] = self._inside(inside)
        return out

    @cached_property
    def window(self) -> Window:
        """Smallest window of the grid with all pixels of the region.

        Raises:
            DataError: If there is none.
        """
        whole = Window(0, 0, self.grid.height, self.grid.width)
        ends = [self._first(whole, axis, side) for axis in (0, 1) for side in (1, -1)]
        if None in ends:
            self._raise_no_pixel()
        top, bottom, left, right = (abs(int(end or 0)) for end in ends)
        return Window(top, left, bottom - top, right - left)

    def _first(self, whole: Window, axis: int, side: int) -> int | None:
        """Return the first row or column of the region; for ``side`` -1 minus the end of the last.

        Parts of the raster are searched in the order of their first line, so that only those at
        the edge of the region are divided.
        """
        best: int | None = None
        start, length = _along(whole, axis)
        parts = [(start if side > 0 else -start - length, whole)]
        while parts:
            first, part = heappop(parts)
            if best is not None and first >= best:
                break
            state = self._state(part)
            if state is None and max(part.height, part.width) > LEAF:
                for smaller in _quarters(part):
                    start, length = _along(smaller, axis)
                    heappush(parts, (start if side > 0 else -start - length, smaller))
            elif state:
                best = first
            elif state is None:
                lines = np.flatnonzero(self._tested(part).any(axis=1 - axis))
                if len(lines):
                    start, _ = _along(part, axis)
                    found = int(start + lines[0] if side > 0 else -start - lines[-1] - 1)
                    best = found if best is None else min(best, found)
        return best

    def note(self) -> str:
        """Return what to report of the region, as the end of a line; empty for nothing."""
        if self.crs is None:
            return "; the region is in columns and rows, because the raster has no CRS"
        outside = self.share_outside()
        return f"; {outside:.1%} of the region is outside of the raster" if outside > 1e-3 else ""

    def share_outside(self) -> float:
        """Return the share of the region's area that lies outside of the raster, about."""
        x, y, weight = self._sampled()
        if self.crs is not None:
            x, y = transformed(self.crs, parsed_crs(self.grid.crs), x, y)
        turn = full_turn(parsed_crs(self.grid.crs)) if self.grid.crs else None
        within = np.zeros(len(x), bool)
        left = self._corners()[0].min()
        for shift in (0.0,) if turn is None else (0.0, turn * np.floor((x - left) / turn)):
            columns, rows = grid_pixels(self.grid, x - shift, y)
            within |= (
                (columns >= 0)
                & (columns <= self.grid.width)
                & ((rows >= 0) & (rows <= self.grid.height))
            )
        return float(1 - weight[within].sum() / weight.sum()) if len(x) else 0.0

    def _sampled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return positions in the region, and the area that each stands for."""
        (west, south), (east, north) = (f(self.polygons.points, axis=0) for f in (np.min, np.max))
        steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
        x, y = np.meshgrid(west + steps * (east - west), south + steps * (north - south))
        x, y = x.ravel(), y.ravel()
        here = self.polygons.contain(x, y)
        weight = np.ones(len(y))
        if self._is_degrees:
            weight = np.cos(y * 2 * np.pi / (self.polygons.turn or 360.0))
        return x[here], y[here], weight[here]

    def _corners(self) -> np.ndarray:
        """Return corners, middles of the edges and the middle of the grid (2, 9)."""
        ends = np.meshgrid(*(np.array([0, n / 2, n]) for n in (self.grid.width, self.grid.height)))
        return np.stack(grid_points(self.grid, *(v.ravel() for v in ends)))

    def _positions(self, points: np.ndarray) -> np.ndarray:
        """Transform coordinates of the grid (2, ...) to the CRS of the polygons."""
        if self.crs is None:
            return points
        if not self._is_same_crs:
            x, y = points.reshape(2, -1)
            points = transformed(parsed_crs(self.grid.crs), self.crs, x, y).reshape(points.shape)
        if self._is_degrees:  # a pole is inside of a polygon that ends there
            north = np.nextafter((self.polygons.turn or 360.0) / 4, 0)
            points = np.stack([points[0], np.minimum(points[1], north)])
        return points

    @cached_property
    def _is_same_crs(self) -> bool:
        return bool(self.crs == parsed_crs(self.grid.crs))

    @cached_property
    def _is_degrees(self) -> bool:
        return self.crs is not None and bool(self.crs.is_geographic)

    def _inside(self, window: Window) -> np.ndarray:
        """Return which pixels of a window, which lies in the raster, have their centre inside."""
        state = self._state(window)
        if state is None:
            return self._tested(window)
        return np.full((window.height, window.width), state)

    def _tested(self, window: Window) -> np.ndarray:
        """Test each pixel of a window."""
        x, y = self._positions(pixel_centres(self.grid, window))
        return self.polygons.contain(x.ravel(), y.ravel()).reshape(x.shape)

    def _state(self, window: Window) -> bool | None:
        """Return whether all of a window is inside, or outside; None if some may be either."""
        columns = window.column + np.linspace(0, window.width, LATTICE)
        rows = window.row + np.linspace(0, window.height, LATTICE)[:, None]
        points = self._positions(np.stack(grid_points(self.grid, columns, rows)))
        missing = np.isnan(points).any(axis=0)
        if missing.all():
            return False if max(window.height, window.width) <= BLOCK else None
        steps = [np.abs(np.diff(points, axis=axis)).reshape(2, -1) for axis in (1, 2)]
        # what lies between the positions is not farther away than they are
        margin = np.nanmax(np.concatenate([*steps, np.zeros((2, 1))], axis=1), axis=1)
        margin = margin * 2 if missing.any() else margin
        if self.polygons.turn is not None and margin[0] > FAR * self.polygons.turn:
            return None
        low, high = np.nanmin(points, axis=(1, 2)), np.nanmax(points, axis=(1, 2))
        box = np.concatenate([low - margin, high + margin])
        if not self.polygons.meets(box):
            return False
        if missing.any() or self.polygons.has_edge_in(box):
            return None
        middle = points[:, LATTICE // 2, LATTICE // 2]
        return bool(self.polygons.contain(middle[:1], middle[1:])[0])

    def _raise_no_pixel(self) -> NoReturn:
        """Raise the error of a region without a pixel of the raster."""
        outside = self.share_outside()
        reason = "lies outside of" if outside > 0 else "has no centre of a pixel of"
        raise DataError(
            f"the region {self.path} {reason} the raster:\n"
            f"  region: {_extent(self.polygons.points)}\n"
            f"  raster: {_extent(self._positions(self._corners()).T)}\n"
            f"  ({self.grid.describe()})"
        )


def _quarters(window: Window) -> list[Window]:
    """Divide a window, each side that is longer than a leaf in two."""
    (top, left), (height, width) = (window.row, window.column), (window.height, window.width)
    tall, wide = (side // 2 if side > LEAF else side for side in (height, width))
    rows = [(top, tall), (top + tall, height - tall)]
    columns = [(left, wide), (left + wide, width - wide)]
    return [Window(r, c, h, w) for r, h in rows if h for c, w in columns if w]


def _along(window: Window, axis: int) -> tuple[int, int]:
    """Return the first row and the number of rows of a window, or those of columns."""
    return ((window.row, window.height), (window.column, window.width))[axis]


def _extent(points: np.ndarray) -> str:
    (x0, y0), (x1, y1) = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    return f"x {x0:.10g} to {x1:.10g}, y {y0:.10g} to {y1:.10g}"
