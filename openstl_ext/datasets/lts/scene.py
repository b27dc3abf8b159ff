"""An area of a series, to be mapped."""

from collections.abc import Callable, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.lts.series import Series
from openstl_ext.rasters.window import Window


@final
class SeriesScene:
    """Inputs of any window, read when asked for.

    Args:
        series: The area.
        years: Which of them.
        bands: Which of them, in the order that is wanted.
        fill: What is done about missing values.
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

    def read(self, window: Window) -> dict[str, np.ndarray]:
        """Frames (T, C, H, W) and where they are valid; beyond the border nothing is."""
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
        """None: the answer is one map of labels."""
        del horizon
        return []
