"""Images of one sensor in a season: dates in names, the choice of dates, and their values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.sensors.sensor import Sensor, SensorBand
from openstl_ext.errors import DataError
from openstl_ext.leftovers import matches

TABLES = {"S1": "sentinel1_grd", "S2": "sentinel2_l2a", "L8": "landsat8_c2l2"}
FIELD = {"S1": 4, "S2": 0, "L8": 2}
"""Field of a name, between underscores, that begins with the date."""
DAY = re.compile(r"\d{8}")
LAST_DAY = 183
"""Last day of a season, counted from 0."""
MOST_MISSING = 0.25
"""Share of missing values in the first band from which an image is not used."""
MAY_LACK = "ST_B10"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One image.

    Args:
        path: File of an array for each band.
        day: Days since the beginning of the season.
    """

    path: Path
    day: int


def scene_date(path: Path, sensor: str) -> date:
    """Return the date in the name of an image.

    Args:
        path: The file; the third field for L8, the fifth for S1, the first for S2, but the second
            where the name begins with the tile, such as ``T44PLT``.
        sensor: ``S1``, ``S2`` or ``L8``.

    Raises:
        DataError: If there is no date.
    """
    fields = path.stem.split("_")
    place = FIELD[sensor] + (sensor == "S2" and path.stem.startswith("T"))
    text = fields[place][:8] if place < len(fields) else ""
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise DataError(
            f"{path}: field {place + 1} of the name of an image of {sensor} begins with a date "
            f"YYYYMMDD, found {text!r}; give it its published name"
        ) from None


def scenes_of_season(folder: Path, sensor: str, start: date) -> list[Scene]:
    """Return the images of a season, sorted by day and name."""
    days = [(path, (scene_date(path, sensor) - start).days) for path in matches(folder, "*.npz")]
    found = [Scene(path=path, day=day) for path, day in days if 0 <= day <= LAST_DAY]
    return sorted(found, key=lambda scene: scene.day)


def middle_days(count: int) -> list[float]:
    """Return the middles of ``count`` equal parts of a season, in days from its beginning."""
    return [(k + 0.5) * (LAST_DAY + 1) / count for k in range(count)]


class SeriesReader:
    """Series of images of one sensor, with a fixed number of dates.

    Args:
        sensor: ``S1``, ``S2`` or ``L8``.
        bands: Names of the bands; all of the table if not given.
        num_dates: Number of images.
        size: Side of an image, in pixels.
    """

    def __init__(
        self, sensor: str, bands: Sequence[str] | None, *, num_dates: int, size: int
    ) -> None:
        self.name, self.size = sensor, size
        table = Sensor.read(TABLES[sensor])
        self.sensor = table.select(bands) if bands else table
        self.days = middle_days(num_dates)

    def read(self, scenes: Sequence[Scene], place: Path) -> list[NDArray[np.float32]]:
        """Return the normalised image nearest to the middle of each part of the season.

        The earlier one of two equally near ones is taken, the first usable one of a day, and one
        image for several parts where there are fewer images than parts. Missing values are 0, the
        mean; all are, if no image is usable.

        Args:
            scenes: Images of the season.
            place: Their folder, for messages.

        Shape:
            - returns: ``num_dates`` times (C, size, size).

        Raises:
            DataError: If a file is damaged, lacks a band, or has another unit.
        """
        read: dict[Path, NDArray[np.float32] | None] = {}
        chosen = [self._nearest(scenes, day, read) for day in self.days]
        # together: the check of the unit then does not depend on one image
        values = self.sensor.normalise(np.concatenate(chosen, axis=1), str(place))
        return np.split(values, len(chosen), axis=1)

    def _nearest(
        self, scenes: Sequence[Scene], day: float, read: dict[Path, NDArray[np.float32] | None]
    ) -> NDArray[np.float32]:
        for scene in sorted(scenes, key=lambda scene: abs(scene.day - day)):
            if scene.path not in read:
                read[scene.path] = self._values(scene.path)
            if (values := read[scene.path]) is not None:
                return values
        return np.full((len(self.sensor.bands), self.size, self.size), np.nan, np.float32)

    def _values(self, path: Path) -> NDArray[np.float32] | None:
        """Read the bands, NaN where missing; None if too much of the first one is."""
        first = self.sensor.all_bands[0]
        arrays = _read_bands(path, {first, *self.sensor.bands})
        if np.isnan(arrays[first]).mean() >= MOST_MISSING:
            return None
        return np.stack([nearest_pixels(arrays[band], self.size) for band in self.sensor.bands])


def _read_bands(path: Path, bands: set[SensorBand]) -> dict[SensorBand, NDArray[np.float32]]:
    """Read the arrays of some bands; 0 and values that are not finite become NaN."""
    found = {}
    try:
        with np.load(path, allow_pickle=False) as content:
            for band in bands:
                key = band.name.replace("B0", "B")  # B1 in the files, B01 in the table
                if key in content:
                    found[band] = content[key].astype(np.float32)
                elif band.name == MAY_LACK:
                    found[band] = np.full((1, 1), np.nan, np.float32)
                else:
                    keys = ", ".join(content)
                    raise DataError(f"{path}: has no band {key}, but {keys}; fetch it again")
    except DataError:
        raise
    except Exception as error:  # zipfile and numpy raise many types for a damaged archive
        raise DataError(f"{path}: not a readable npz ({error}); fetch it again") from None
    for band, values in found.items():
        if values.ndim != 2 or not values.size:
            raise DataError(
                f"{path}: {band.name} has the shape {values.shape}, expected rows and columns; "
                "fetch it again"
            )
        values[~np.isfinite(values) | (values == 0)] = np.nan
    return found


def nearest_pixels(values: np.ndarray, size: int) -> np.ndarray:
    """Resample by the nearest pixel, as labels and their images in the publication.

    Shape:
        - values: (..., H, W); returns: (..., size, size).
    """
    rows, columns = (((np.arange(size) + 0.5) * n / size).astype(int) for n in values.shape[-2:])
    return values[..., rows[:, None], columns]
