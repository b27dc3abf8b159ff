"""Files of a sensor: their bands, their unit, and those in a folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.sensors.images import PICTURES
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError
from openstl_ext.rasters.raster_file import RasterFile

MOST_TILES_OUTSIDE = 16
"""Tiles in a row without a value between the limits of the sensor after which a raster is given up;
single ones occur, where a raster is filled with zeros."""


class UnitCheck:
    """Normalise the tiles of a raster, of which at least one must fit the limits of its sensor.

    Args:
        sensor: The sensor.
        place: The raster, for the message.
    """

    def __init__(self, sensor: Sensor, place: str) -> None:
        self.sensor, self.place = sensor, place
        self.error: DataError | None = None
        self.outside = 0
        self.fits = False
        self.has_data = np.zeros(len(sensor.bands), bool)

    def normalised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalise the pixels of a tile; NaN becomes 0."""
        if not self.fits:
            try:
                self.sensor.normalise(values, self.place)
                self.fits = bool(np.isfinite(values).any())
            except DataError as error:
                self.error, self.outside = self.error or error, self.outside + 1
            if self.outside >= MOST_TILES_OUTSIDE:
                self.check()
        self.has_data |= np.isfinite(values).any(axis=(1, 2))
        return self.sensor.scaled(values)

    def check(self) -> None:
        """Raise the first error if no tile fits the limits, or if a band has no data at all."""
        if self.error is not None and not self.fits:
            band = self.sensor.bands[0]
            raise DataError(
                f"{self.error} The limits of its first band, {band.name}, are {band.low:g} to "
                f"{band.high:g}; convert the file to this unit, or name another sensor"
            )
        if not self.has_data.all():
            raise DataError(
                f"{self.place}: band {self.sensor.bands[self.has_data.argmin()].name} has no data; "
                "write a file without it, with the names of the others as descriptions"
            )


def sensor_of_file(path: Path, sensor: Sensor, bands: Sequence[str] | None) -> Sensor:
    """Return a sensor with the bands that an image has, by their given or by their stored names.

    Raises:
        DataError: If a given name is not that of a band.
    """
    if bands is not None:
        return sensor.in_order(bands)
    if path.is_dir() or path.suffix.lower() in PICTURES:
        return sensor
    raster = RasterFile(path)
    kinds = (kind.name for kind in raster.dataset.colorinterp)
    texts = zip(raster.dataset.descriptions, kinds, strict=True)
    found = [sensor.named(text or "") for text, kind in texts if text or kind != "alpha"]
    raster.dataset.close()
    named = [band.name for band in found if band is not None]
    return sensor.in_order(named) if len(named) == len(found) else sensor


def band_folders(folder: Path) -> list[Path]:
    """Return the folders below a folder that directly contain GeoTIFFs, each an image."""
    return sorted({path.parent for path in image_files(folder)})


def image_files(folder: Path) -> Iterator[Path]:
    """Yield the GeoTIFFs and pictures below a folder, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in {".tif", ".tiff", *PICTURES}:
            yield path
