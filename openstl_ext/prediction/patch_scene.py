"""A raster as a scene whose pixels are patches."""

from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from openstl_ext.datasets.sensors.images import PICTURES, read_picture, read_window
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.rasters.grid import NO_TRANSFORM, Grid
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window


class PatchScene:
    """Scene with one pixel for each patch of a raster, whose values are its channels.

    So a map of features, of which each patch has one, is made tile by tile like other maps.

    Args:
        path: A GeoTIFF, or an RGB picture, which is read as a whole.
        sensor: Its sensor.
        patch_size: Side p of a patch, in pixels; patches at the edge may extend beyond it.

    Attributes:
        grid: Grid of the patches.

    Raises:
        DataError: If the file cannot be read, or has another number of bands than the sensor.
    """

    clip: tuple[float, float] | None = None

    def __init__(self, path: Path, sensor: Sensor, *, patch_size: int) -> None:
        self.path, self.sensor, self.patch_size = path, sensor, patch_size
        self._raster: RasterFile | None = None
        self._picture: NDArray[np.float32] | None = None
        if path.suffix.lower() in PICTURES:
            self._picture = read_picture(path, sensor)
            height, width = self._picture.shape[1:]
            pixels = Grid(height=height, width=width, crs="", transform=NO_TRANSFORM)
        else:
            self._raster = RasterFile(path)
            read_window(self._raster, sensor, Window(0, 0, 1, 1))  # the number of bands
            pixels = self._raster.grid
        self.grid = coarser(pixels, patch_size)

    def read(self, window: Window) -> dict[str, NDArray[Any]]:
        """Read the patches of a window.

        Shape:
            - frames: (1, C * p * p, h, w), in units of the file, NaN where there is no data.
        """
        p = self.patch_size
        pixels = self._pixels(
            Window(window.row * p, window.column * p, window.height * p, window.width * p)
        )
        return {"frames": rearrange(pixels, "c (h p) (w q) -> 1 (c p q) h w", p=p, q=p)}

    def images(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Convert a batch of ``frames`` (B, 1, C * p * p, h, w) to pixels (B, C, h * p, w * p)."""
        p = self.patch_size
        return rearrange(frames, "b 1 (c p q) h w -> b c (h p) (w q)", p=p, q=p)

    def overview(self, most: int) -> NDArray[np.float32]:
        """Return every k-th pixel, at most ``most`` rows and columns; NaN where there is no data.

        Shape:
            - returns: (C, h, w), in units of the file.
        """
        p, width = self.patch_size, self.grid.width * self.patch_size
        step = -(-max(self.grid.height * p, width) // most)
        strips = [
            self._pixels(Window(row, 0, p, width))[:, -row % step :: step, ::step]
            for row in range(0, self.grid.height * p, p)
        ]
        return np.concatenate(strips, axis=1)

    def steps(self, horizon: int) -> list[str]:  # noqa: ARG002
        """Return nothing: there are no future steps."""
        return []

    def _pixels(self, window: Window) -> NDArray[np.float32]:
        if self._raster is not None:
            return read_window(self._raster, self.sensor, window)
        assert self._picture is not None
        found = np.full((len(self._picture), window.height, window.width), np.nan, np.float32)
        inside = window.meet(Window(0, 0, *self._picture.shape[1:]))
        if inside is not None:
            rows, columns = inside.slices
            found[:, : inside.height, : inside.width] = self._picture[:, rows, columns]
        return found


def coarser(grid: Grid, factor: int) -> Grid:
    """Return a grid from the same corner whose pixels are ``factor`` times as long and wide."""
    a, b, c, d, e, f = grid.transform
    return Grid(
        height=-(-grid.height // factor),
        width=-(-grid.width // factor),
        crs=grid.crs,
        transform=(a * factor, b * factor, c, d * factor, e * factor, f),
    )
