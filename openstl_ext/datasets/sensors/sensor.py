"""Bands of a product in the order of its files, and their normalisation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from openstl_ext.errors import DataError, nearest
from openstl_ext.json_file import entry_of, read_json
from openstl_ext.spectrum import Band, Spectrum, bands_of

FOLDER = Path(__file__).parent
"""Folder of the published tables."""
WHOLE_NUMBERS = 200.0
"""From this ``high`` on a table is one of stored numbers, such as bytes or reflectance x 10,000."""
SHARE = 2.0
"""Reflectance and pictures stored as shares are below, even snow."""
BRIGHTEST = 10.0
"""Clouds and snow have less than this multiple of the 99th percentile; another unit has more."""


class SensorBand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One band of a file.

    Args:
        name: Name of the band in the product, such as ``B8A``.
        band: Name of the band in the spectrum.
        low: Value that becomes 0, in units of the file; values below are clipped. The published
            tables have the first percentile.
        high: Value that becomes 1; values above are clipped. The published tables have the 99th.
        mean: Mean after this scaling, from 0 to 1.
        std: Standard deviation after this scaling, at most 1; with mean 0, it leaves the values.
        used: Whether a dataset returns the band unless it names its bands.
    """

    name: Annotated[str, Meta(min_length=1)]
    band: str
    low: float
    high: float
    mean: Annotated[float, Meta(ge=0, le=1)]
    std: Annotated[float, Meta(gt=0, le=1)]
    used: bool = True


class SensorFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of the file of a sensor.

    Args:
        about: Product, unit and source of the numbers.
        bands: Bands in the order of the files, with the arguments of ``SensorBand``.
        spectrum: Ranges that the published spectrum does not have, by name.
    """

    about: str
    bands: Annotated[list[dict[str, Any]], Meta(min_length=1)]
    spectrum: dict[str, Any] = {}


@dataclass(frozen=True)
class Sensor:
    """Bands of a product and the spectrum to which they belong.

    Args:
        name: Name for messages.
        bands: Bands that are returned, in this order.
        in_file: Position of each in the file.
        spectrum: Spectrum with the ranges of this sensor.
        all_bands: Bands of the file, in its order.
    """

    name: str
    bands: tuple[SensorBand, ...]
    in_file: tuple[int, ...]
    spectrum: Spectrum
    all_bands: tuple[SensorBand, ...]

    @classmethod
    def read(cls, name: str | Path, spectrum: Spectrum | None = None) -> "Sensor":
        """Read a published table by its name, such as ``sentinel2_l2a``, or a file of a user.

        Args:
            name: Name of a table in this folder, or the path of a JSON file.
            spectrum: Spectrum of the model; the published one by default.

        Raises:
            DataError: If there is no such table, or its content is not that of a sensor.
        """
        path = Path(name)
        if path.suffix != ".json":
            names = [p.stem for p in FOLDER.glob("*.json") if p.stem != "spectrum"]
            if str(name) not in names:
                raise DataError(
                    f"sensor {str(name)!r}: {nearest(str(name), names)} A file of your own ends "
                    "with .json"
                )
            path = FOLDER / f"{name}.json"
        content = read_json(path, SensorFile)
        ranges = bands_of(content.spectrum, str(path))
        spectrum = (spectrum or Spectrum.read()).extended(ranges, str(path))
        bands = tuple(
            _band(entry, spectrum, f"{path}: bands[{position}] ({entry.get('name', 'no name')})")
            for position, entry in enumerate(content.bands)
        )
        found = [band.name for band in bands]
        if double := sorted({n for n in found if found.count(n) > 1}):
            raise DataError(f"{path}: bands occur twice: {', '.join(double)}")
        used = tuple(i for i, band in enumerate(bands) if band.used)
        if not used:
            raise DataError(f'{path}: no band is used; remove "used": false')
        sensor = cls(path.stem, bands, tuple(range(len(bands))), spectrum, bands)
        return sensor.select([bands[i].name for i in used])

    def named(self, text: str) -> SensorBand | None:
        """Return the band with a name, in any case and with or without zeros: ``b8`` is ``B08``."""
        for band in self.all_bands:
            if _plain(text) in (_plain(band.name), _plain(band.band)):
                return band
        return None

    def select(self, names: Sequence[str]) -> "Sensor":
        """Return the sensor with these bands, in this order.

        Args:
            names: Names in the product, such as ``B04``, or in the spectrum, such as ``red_2``.

        Raises:
            DataError: If none or an unknown band is named, one twice, or one without a projection.
        """
        known = {band.band: i for i, band in enumerate(self.all_bands)}
        known |= {band.name: i for i, band in enumerate(self.all_bands)}
        for name in names:
            if name not in known:
                raise DataError(f"sensor {self.name}: no band {name!r}; {nearest(name, known)}")
        positions = tuple(known[name] for name in names)
        if not positions or len(set(positions)) < len(positions):
            raise DataError(f"sensor {self.name}: name each band once, got {list(names)}")
        chosen = replace(self, in_file=positions, bands=tuple(self.all_bands[i] for i in positions))
        for band in chosen.bands:
            self.spectrum.index(band.band)  # raises for a band without a projection
        return chosen

    def in_order(self, names: Sequence[str]) -> "Sensor":
        """Return the sensor for files that have only these bands, in this order.

        Args:
            names: Names of all bands of a file, as in ``select``; those that this sensor does not
                return are passed over.

        Raises:
            DataError: If a name is unknown or occurs twice, or no band would be returned.
        """
        known = {band.band: band for band in self.all_bands}
        known |= {band.name: band for band in self.all_bands}
        for name in names:
            if name not in known:
                raise DataError(f"sensor {self.name}: no band {name!r}; {nearest(name, known)}")
        bands = tuple(known[name] for name in names)
        positions = tuple(i for i, band in enumerate(bands) if band in self.bands)
        if len(set(bands)) < len(bands) or not positions:
            used = ", ".join(band.name for band in self.bands)
            raise DataError(
                f"sensor {self.name}: name each band once, and at least one of {used}; got "
                f"{list(names)}"
            )
        chosen = tuple(bands[i] for i in positions)
        return replace(self, bands=chosen, in_file=positions, all_bands=bands)

    @property
    def indices(self) -> tuple[int, ...]:
        """Index of the projection of each band."""
        return tuple(self.spectrum.index(band.band) for band in self.bands)

    @property
    def named_bands(self) -> dict[str, Band]:
        """The returned bands as those of the spectrum, by their names there."""
        return {band.band: self.spectrum.bands[band.band] for band in self.bands}

    def normalise(self, values: np.ndarray, place: str) -> np.ndarray:
        """Clip and scale to [0, 1] between ``low`` and ``high``, then subtract mean, divide by std.

        Args:
            values: Values of the selected bands, in units of the file; NaN where there is no data,
                which becomes 0, the mean.
            place: File that messages name.

        Shape:
            - values, returns: (C, H, W); float32 is returned.

        Raises:
            DataError: If a value is infinite, or the unit seems to be another one: none is between
                the limits of its band, most are above, or those of a table of whole numbers are
                shares from 0 to 1. Optical bands may be ``BRIGHTEST`` times as high, as all of an
                image is where it shows a cloud or snow only.
        """
        values = values.astype(np.float32)
        if np.isinf(values).any():
            raise DataError(f"{place}: has infinite values")
        self._check_unit(values, place)
        return self.scaled(values)

    def _check_unit(self, values: np.ndarray, place: str) -> None:
        """Refuse values that are probably of another unit."""
        low, high, brightest = (
            np.array(limit, np.float32).reshape(-1, 1, 1)
            for limit in (
                [band.low for band in self.bands],
                [band.high for band in self.bands],
                [self._brightest(band) for band in self.bands],
            )
        )
        known = values[np.isfinite(values)]
        if not known.size:
            return
        found = f"{place}: values from {known.min():g} to {known.max():g}"
        limits = f"the limits of the sensor {self.name} ({low.min():g} to {high.max():g})"
        if not ((values >= low) & (values <= brightest)).any():
            raise DataError(f"{found}, all outside {limits}; is the unit another one?")
        if (values > brightest).sum() > known.size / 2:
            raise DataError(f"{found}, most of them far above {limits}; is the unit another one?")
        is_whole = low.min() >= 0 and high.min() >= WHOLE_NUMBERS
        # a black picture has whole numbers only
        if is_whole and known.max() <= SHARE and (known % 1 != 0).any():
            raise DataError(
                f"{found} seem to be shares, but the table of the sensor {self.name} is for "
                f"numbers up to {high.max():g}; multiply them, for example by 255 or 10,000, or "
                "name a table of their unit"
            )

    def _brightest(self, band: SensorBand) -> float:
        is_radar = self.spectrum.bands[band.band].polarisation
        return band.high if is_radar else max(band.high, BRIGHTEST * band.high)  # or negative

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Normalise as ``normalise`` does, without a check of the values, as for a part of a file.

        Shape:
            - values, returns: (C, H, W); float32 is returned.
        """
        low, high, mean, std = (
            np.array([getattr(band, key) for band in self.bands], np.float32).reshape(-1, 1, 1)
            for key in ("low", "high", "mean", "std")
        )
        scaled = (np.clip((values - low) / (high - low), 0, 1) - mean) / std
        return np.where(np.isfinite(values), scaled, np.float32(0)).astype(np.float32)


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z_])0+(?=\d)", "", name.strip().lower())


def _band(entry: Mapping[str, Any], spectrum: Spectrum, place: str) -> SensorBand:
    """Return a band of a table; ``place`` is its file and position."""
    for key in ("mean", "std"):  # a likely mistake, which would not be seen in the values
        if isinstance(entry.get(key), int | float) and entry[key] > 1:
            raise DataError(
                f"{place}: {key} is {entry[key]:g}, in units of the file; state it after the "
                "scaling of low to high to 0 to 1"
            )
    band = entry_of(entry, SensorBand, place)
    if not band.low < band.high:
        raise DataError(f"{place}: low is not below high; exchange them")
    if band.band not in spectrum.bands:
        raise DataError(
            f"{place}: no band {band.band!r} in the spectrum; {nearest(band.band, spectrum.bands)} "
            'A range of your own is an entry of "spectrum"'
        )
    return band
