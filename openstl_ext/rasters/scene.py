"""What a dataset offers to be mapped."""

from typing import Protocol

import numpy as np

from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window


class Scene(Protocol):
    """An area without a known answer, perhaps larger than memory, read in windows.

    A dataset whose task has maps offers ``scene(source, settings)``, a class method that opens
    what a user points at; ``settings`` are the arguments of the test dataset in the config, but
    for its root and split.

    Attributes:
        grid: Where the pixels lie; its CRS is empty for bare arrays.
        clip: Least and largest value that an answer in data units may have; None for any.
    """

    grid: Grid
    clip: tuple[float, float] | None

    def read(self, window: Window) -> dict[str, np.ndarray]:
        """The inputs of a window, as ``dataset[i]["inputs"]`` has them but as arrays.

        Beyond the border nothing is valid: ``valid`` is False there and ``frames`` NaN. A pixel
        that is missing in every frame gets no answer in the map.

        Shape:
            - frames, valid: (T, C, h, w); dynamic: (T, C', h, w); static: (C', h, w); lonlat:
              (2, h, w), degrees.
        """

    def steps(self, horizon: int) -> list[str]:
        """Name of each step of a forecast, for files: ``["2025", "2030"]``; empty for labels."""
