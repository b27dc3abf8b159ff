"""A long series of images of one area with its label, however it lies on the disk."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window


class Series(Protocol):
    """An area that is read in windows.

    Attributes:
        facts: Years, bands and classes.
        grid: Where the pixels lie.
    """

    facts: SeriesFacts
    grid: Grid

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        """Values (T, C, H, W) of a window inside the area, NaN where an observation is missing."""

    def labels(self, window: Window, ignore_index: int) -> NDArray[np.int64]:
        """Class indices (H, W) of a window inside the area."""


class Patches(Protocol):
    """The samples of a split.

    Attributes:
        facts: Years, bands and classes.
        names: One a sample, unique.
    """

    facts: SeriesFacts
    names: list[str]

    def frames(self, index: int, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        """Values (T, C, H, W) of a sample, NaN where an observation is missing."""

    def labels(self, index: int, ignore_index: int) -> NDArray[np.int64]:
        """Class indices (H, W) of a sample."""


class WindowPatches:
    """Samples that are windows of one area.

    Args:
        series: The area.
        windows: One a sample.
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
    """Name of a patch, by where it lies."""
    return f"r{window.row:06d}_c{window.column:06d}"
