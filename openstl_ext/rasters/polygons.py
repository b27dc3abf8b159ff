"""Points in polygons."""

from collections.abc import Sequence

import numpy as np

PAIRS = 2**21
"""Number of pairs of an edge and a point that are compared at once."""


class Polygons:
    """Polygons that contain points by the even-odd rule of their rings.

    Args:
        rings: Closed rings (N, 2) of each polygon.
        turn: Length of a turn around the earth along x, by any multiple of which a polygon may be
            shifted; None if it may not.
    """

    def __init__(self, rings: Sequence[Sequence[np.ndarray]], turn: float | None) -> None:
        self.rings, self.turn = rings, turn
        self.points = np.concatenate([ring for polygon in rings for ring in polygon])
        ends = [np.concatenate(polygon) for polygon in rings]
        self._boxes = np.array([(*p.min(axis=0), *p.max(axis=0)) for p in ends]).T  # (4, polygons)
        start, end = (
            np.concatenate([ring[part] for polygon in rings for ring in polygon])
            for part in np.s_[:-1, 1:]
        )
        self._edges = np.hstack([np.minimum(start, end), np.maximum(start, end)]).T  # (4, edges)

    def contain(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which points are inside of a polygon; NaN is outside.

        Shape:
            - x, y, returns: (points,).
        """
        found = np.zeros(len(x), bool)
        finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if not len(finite):
            return found
        order = finite[np.argsort(y[finite], kind="stable")]
        x, y = x[order], y[order]
        inside = np.zeros(len(x), bool)
        box = np.array([x.min(), y[0], x.max(), y[-1]])
        start, end = self._turns(self._boxes, box)
        for place in np.flatnonzero(start <= end).tolist():
            for count in range(int(start[place]), int(end[place]) + 1):
                odd = np.zeros(len(x), bool)
                for ring in self.rings[place]:
                    odd ^= _crossed(ring, x + count * (self.turn or 0.0), y)
                inside |= odd
        found[order] = inside
        return found

    def meets(self, box: np.ndarray) -> bool:
        """Return whether a box (smallest x and y, largest x and y) meets that of a polygon."""
        start, end = self._turns(self._boxes, box)
        return bool((start <= end).any())

    def has_edge_in(self, box: np.ndarray) -> bool:
        """Return whether an edge may cross a box; otherwise all of it is inside, or outside."""
        start, end = self._turns(self._edges, box)
        return bool((start <= end).any())

    def _turns(self, boxes: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last number of turns that bring a part of a box into others.

        Shape:
            - boxes: (4, N): smallest x and y, largest x and y.
            - box: (4,).
            - returns: twice (N,); the first is larger if there is no such number.
        """
        x0, y0, x1, y1 = boxes
        if self.turn is None:
            start, end = np.where(x0 > box[2], 1.0, 0.0), np.where(box[0] > x1, -1.0, 0.0)
        else:
            start = np.ceil((x0 - box[2]) / self.turn)
            end = np.floor((x1 - box[0]) / self.turn)
        return np.where((y0 > box[3]) | (box[1] > y1), np.inf, start), end


def _crossed(ring: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return whether a line from each point to the right crosses a ring an odd number of times.

    Args:
        ring: Closed ring, (N, 2).
        x: Coordinates of the points.
        y: The same, ascending, so that the points beside an edge are consecutive.
    """
    start, end = ring[:-1], ring[1:]
    is_up = (start[:, 1] <= end[:, 1])[:, None]  # an edge of two polygons gives equal numbers
    (x0, y0), (x1, y1) = np.where(is_up, start, end).T, np.where(is_up, end, start).T
    right = np.maximum(x0, x1) >= x.min()
    x0, y0, x1, y1 = x0[right], y0[right], x1[right], y1[right]
    first = np.searchsorted(y, y0)
    counts = np.searchsorted(y, y1) - first
    crossed = np.zeros(len(x), np.int64)
    edges = np.flatnonzero(counts)
    parts = np.cumsum(counts[edges]) // PAIRS
    for part in np.split(edges, np.flatnonzero(np.diff(parts)) + 1):
        edge = np.repeat(part, counts[part])
        ends = np.cumsum(counts[part])
        point = np.arange(len(edge)) + np.repeat(first[part] - ends + counts[part], counts[part])
        slope = (x1 - x0)[edge] / (y1 - y0)[edge]
        left = x[point] < x0[edge] + (y[point] - y0[edge]) * slope
        crossed += np.bincount(point[left], minlength=len(x))
    return crossed % 2 == 1
