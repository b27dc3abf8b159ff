"""Area of a series for maps."""

from collections.abc import Callable, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.lts.series import Series
from openstl_ext.rasters.window import Window


@final
class SeriesScene:
    """Scene that reads the inputs of windows from a series.

    Args:
        series: The area.
        years: Slice of the years.
        bands: Indices of the bands, in the order of the inputs.
        fill: Function that replaces missing values.
    """

    clip: tuple[float, float] | None = None

    def __init__(
        self,
        series: Series,
        *,
        years: slice,
        bands: Sequence[int],
        fill: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    ) -> None:
        self.series, self.years, self.bands, self.fill = series, years, bands, fill
        self.grid = series.grid
        self.classes = series.facts.classes
        self.channels = series.facts.channels(bands)

    def read(self, window: Window) -> dict[str, np.ndarray]:
        """Read frames (T, C, H, W) and their validity, which is False beyond the edge."""
        length = len(self.series.facts.years[self.years])
        shape = (length, len(self.bands), window.height, window.width)
        frames = np.full(shape, np.nan, np.float32)
        inside = window.meet(Window(0, 0, self.grid.height, self.grid.width))
        if inside is not None:
            top, left = inside.row - window.row, inside.column - window.column
            values = self.fill(self.series.frames(inside, self.years, self.bands))
            frames[:, :, top : top + inside.height, left : left + inside.width] = values
        return {"frames": frames, "valid": ~np.isnan(frames)}

    def steps(self, horizon: int) -> list[str]:
        """Return no names: the prediction is one map of labels."""
        del horizon
        return []
