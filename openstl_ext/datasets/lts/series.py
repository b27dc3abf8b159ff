"""Interfaces of a series of images with its label, independent of the file format."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window


class Series(Protocol):
    """Interface of an area that is read in windows.

    Attributes:
        facts: Years, bands and classes.
        grid: Grid of the pixels.
    """

    facts: SeriesFacts
    grid: Grid

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        """Read a window inside the area: values (T, C, H, W), NaN where missing."""

    def labels(self, window: Window, ignore_index: int) -> NDArray[np.int64]:
        """Read the class indices (H, W) of a window inside the area."""


class Patches(Protocol):
    """Interface of the samples of a split.

    Attributes:
        facts: Years, bands and classes.
        names: Name of each sample, unique.
    """

    facts: SeriesFacts
    names: list[str]

    def frames(self, index: int, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        """Read a sample: values (T, C, H, W), NaN where missing."""

    def labels(self, index: int, ignore_index: int) -> NDArray[np.int64]:
        """Read the class indices (H, W) of a sample."""


class WindowPatches:
    """Samples that are windows of one area.

    Args:
        series: The area.
        windows: Window of each sample.
    """

    def __init__(self, series: Series, windows: Sequence[Window]) -> None:
        self.series, self.windows = series, list(windows)
        self.facts = series.facts
        self.names = [name_of(window) for window in self.windows]

    def frames(self, index: int, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        return self.series.frames(self.windows[index], years, bands)

    def labels(self, index: int, ignore_index: int) -> NDArray[np.int64]:
        return self.series.labels(self.windows[index], ignore_index)


def name_of(window: Window) -> str:
    """Return the name of a patch: its first row and column."""
    return f"r{window.row:06d}_c{window.column:06d}"
