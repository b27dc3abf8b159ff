"""Raster bands read in windows: one as a layer, several on one grid as a stack."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window


class RasterLayer:
    """One band of a file, read in windows, in the unit that the file declares.

    The file is opened at the first access, once in each process. Memory is that of a window and
    of GDAL's small cache, for a raster of any size. Instances can be pickled.

    Args:
        path: A GeoTIFF.
        band: Number of the band, counted from one.
        nodata: Stored value that means no data; replaces that of the file.
        codes: Whether the numbers are codes, such as classes, of which any may occur.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        band: int = 1,
        nodata: float | None = None,
        codes: bool = False,
    ) -> None:
        self.path = path
        self.band = band
        self.nodata = nodata
        self.file = RasterFile(path, codes=codes)

    @property
    def grid(self) -> Grid:
        """Grid of the pixels."""
        return self.file.grid

    @property
    def num_bands(self) -> int:
        """Number of bands of the file."""
        return int(self.file.dataset.count)

    @property
    def description(self) -> str:
        """Description of the band in the file; empty if there is none."""
        return self.file.dataset.descriptions[self.band - 1] or ""

    @property
    def scaling(self) -> tuple[float, float]:
        """Scale and offset that the file declares for the band; ``read`` applies them."""
        dataset, place = self.file.dataset, self.band - 1
        return float(dataset.scales[place]), float(dataset.offsets[place])

    def read(self, window: Window) -> np.ndarray:
        """Read a window: scaled values, NaN where there is no data and beyond the edge.

        Shape:
            - returns: (rows, columns), float32.

        Raises:
            DataError: If the file cannot be read, or has no such band.
        """
        return self.file.read([self.band], window, nodata=[self.nodata])[0]


class RasterStack:
    """Layers on one grid.

    Bands of one file are read together, through one handle.

    Args:
        layers: Layers, in the order of the result.

    Raises:
        DataError: If two layers have different grids; the message contains both.
    """

    def __init__(self, layers: Sequence[RasterLayer]) -> None:
        self.layers = tuple(layers)
        files: dict[str, RasterFile] = {}
        self._groups: dict[tuple[str, str], list[int]] = {}
        for index, layer in enumerate(self.layers):
            file = files.setdefault(str(layer.path), layer.file)
            dtype = file.dataset.dtypes[layer.band - 1]
            self._groups.setdefault((str(layer.path), dtype), []).append(index)
        self._files = files
        first = self.layers[0]
        for file in files.values():
            self.grid.check_same(file.grid, path=first.path, other_path=file.path)

    @property
    def grid(self) -> Grid:
        """Grid of the first layer."""
        return self._files[str(self.layers[0].path)].grid

    def __len__(self) -> int:
        return len(self.layers)

    def read(self, window: Window) -> np.ndarray:
        """Read a window as ``RasterLayer.read`` does.

        Shape:
            - returns: (layers, rows, columns), float32.
        """
        out = np.empty((len(self), window.height, window.width), np.float32)
        for (path, _), members in self._groups.items():
            layers = [self.layers[k] for k in members]
            out[members] = self._files[path].read(
                [layer.band for layer in layers],
                window,
                nodata=[layer.nodata for layer in layers],
            )
        return out
