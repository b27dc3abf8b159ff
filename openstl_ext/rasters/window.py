"""Rectangles of pixels, and areas that are read in them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from openstl_ext.rasters.grid import Grid, grid_points


@dataclass(frozen=True, order=True)
class Window:
    """Rectangle of pixels of a raster; it may extend beyond the edge of the raster.

    Args:
        row: First row; negative above the raster.
        column: First column; negative left of the raster.
        height: Number of rows.
        width: Number of columns.
    """

    row: int
    column: int
    height: int
    width: int

    def __str__(self) -> str:
        last_row, last_column = self.row + self.height - 1, self.column + self.width - 1
        return f"rows {self.row} to {last_row}, columns {self.column} to {last_column}"

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of rows and columns to index an array; only for a window without negative ends."""
        return (
            slice(self.row, self.row + self.height),
            slice(self.column, self.column + self.width),
        )

    def meet(self, other: "Window") -> "Window | None":
        """Return the intersection with another window, None if it is empty."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        height = min(self.row + self.height, other.row + other.height) - row
        width = min(self.column + self.width, other.column + other.width) - column
        return Window(row, column, height, width) if height > 0 and width > 0 else None


def pixel_centres(grid: Grid, window: Window) -> np.ndarray:
    """Return the coordinates of the centres of a window's pixels.

    Shape:
        - returns: (2, rows, columns): x and y.
    """
    columns = np.arange(window.column, window.column + window.width) + 0.5
    rows = np.arange(window.row, window.row + window.height)[:, None] + 0.5
    return np.stack(grid_points(grid, columns, rows))


class Scene(Protocol):
    """Area without targets, perhaps larger than memory, read in windows.

    A dataset that supports maps has a class method ``scene(source, settings)``, which opens the
    user's files; ``settings`` are the arguments of the test dataset in the config, without its
    root and split.

    Attributes:
        grid: Grid of the pixels; its CRS is empty for plain arrays.
        clip: Smallest and largest predicted value in data units; None for no limit.

    A scene of labels may have ``classes``, their names, for the descriptions of bands. A scene may
    have ``channels``, which are then compared with those of the training.
    """

    grid: Grid
    clip: tuple[float, float] | None

    def read(self, window: Window) -> dict[str, np.ndarray]:
        """Read the inputs of a window: the fields of ``dataset[i]["inputs"]``, as arrays.

        Beyond the edge of the area ``valid`` is False and ``frames`` NaN. A pixel that is missing
        in every frame gets no prediction in the map.

        Shape:
            - frames, valid: (T, C, h, w); dynamic: (T, C', h, w); static: (C', h, w); lonlat:
              (2, h, w), degrees.
        """

    def steps(self, horizon: int) -> list[str]:
        """Return a name for each lead, for file names: ``["2025", "2030"]``; empty for labels."""
