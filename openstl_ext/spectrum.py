"""Spectral bands: their ranges of wavelengths, and the projection that embeds each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from openstl_ext.errors import DataError, nearest
from openstl_ext.json_file import entry_of, read_json

PUBLISHED = Path(__file__).parent / "datasets" / "sensors" / "spectrum.json"
"""The spectrum of SMARTIES: 17 learned projections, two interpolated ones, one unused band."""

ABSENT = -1
"""Index of a band that an image does not have, where images of several sensors are put together."""

LEAST_NM = 100
"""No sensor has shorter wavelengths, in nanometres; in micrometres, all optical ones are below."""

Wavelength = Annotated[float, Meta(gt=0)]
Interpolation = Literal["linear", "inverted"]
"""``linear``: the nearer band has the larger weight. ``inverted``: the farther one, as in the code
and in the released weights of SMARTIES."""


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One band of a spectrum.

    Args:
        min_nm: Shortest wavelength, in nanometres.
        max_nm: Longest wavelength, in nanometres.
        label: Name in the products of its sensors, with a description in brackets.
        sensors: Products that contain it, for a reader of the file.
        polarisation: Polarisation of a radar band, such as ``VV``; it distinguishes bands of the
            same range.
        index: Position among the projections; None for a band that has none.
        interpolated_from: Two learned bands whose weighted mean is its projection; None for a band
            with learned weights.

    Raises:
        ValueError: If the range is empty, or its unit cannot be the nanometre.
    """

    min_nm: Wavelength
    max_nm: Wavelength
    label: str = ""
    sensors: tuple[str, ...] = ()
    polarisation: str | None = None
    index: Annotated[int, Meta(ge=0)] | None = None
    interpolated_from: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Check the range."""
        if self.min_nm >= self.max_nm:
            raise ValueError(
                f"min_nm {self.min_nm:g} is not below max_nm {self.max_nm:g}; exchange them"
            )
        if self.min_nm < LEAST_NM:
            raise ValueError(
                f"min_nm is {self.min_nm:g}; wavelengths are in nanometres, {LEAST_NM} or more, so "
                "multiply micrometres by 1000"
            )

    @property
    def centre_nm(self) -> float:
        """Centre of the range, in nanometres."""
        return (self.min_nm + self.max_nm) / 2

    @property
    def kind(self) -> Literal["learned", "interpolated", "none"]:
        """Kind of the projection."""
        if self.index is None:
            return "none"
        return "learned" if self.interpolated_from is None else "interpolated"


class Ranges(msgspec.Struct, frozen=True):
    """What a net reads of the file of a sensor: the ranges that the spectrum does not have."""

    spectrum: dict[str, Any] = {}


def bands_of(entries: Mapping[str, Any], origin: str) -> dict[str, Band]:
    """Return the bands of a file or of a config, by name.

    Args:
        entries: Arguments of ``Band`` by name.
        origin: File or place in a config that messages name.

    Raises:
        DataError: If an entry is no band.
    """
    return {name: entry_of(entry, Band, f"{origin}: {name}") for name, entry in entries.items()}


@dataclass(frozen=True)
class Spectrum:
    """Named bands and their projections: learned ones first, then interpolated ones.

    Args:
        bands: Bands by name.
        origin: File or place in a config that messages name.

    Raises:
        DataError: If an index is missing or occurs twice, or an interpolated band refers to bands
            that are not learned.

    Source:
        SMARTIES, ``config/spectrum_specs.yaml`` and ``SpectrumAwareProjection``.
        https://github.com/gsumbul/SMARTIES
    """

    bands: Mapping[str, Band]
    origin: str = "spectrum"

    def __post_init__(self) -> None:
        for name, band in self.bands.items():
            self._check_sources(name, band, self.origin)
        found = [self.bands[name].index for name in (*self.learned, *self.interpolated)]
        if found != list(range(len(found))):
            raise DataError(
                f"{self.origin}: the indices of learned bands, then of interpolated ones, are "
                f"{found}; number them 0, 1, 2 ... without gaps"
            )

    @classmethod
    def read(cls, path: Path | str = PUBLISHED) -> "Spectrum":
        """Read a spectrum from a JSON file of bands by name.

        Raises:
            DataError: If the file is not such a spectrum.
        """
        return cls(bands_of(read_json(path, dict[str, Any]), str(path)), str(path))

    @classmethod
    def of(
        cls,
        given: "Spectrum | str | Mapping[str, Any] | None" = None,
        sensors: Sequence[str] = (),
    ) -> "Spectrum":
        """Return the spectrum that arguments of a config describe.

        Args:
            given: File, or bands by name with the arguments of ``Band``; the published one by
                default.
            sensors: Files of sensors with ranges of their own, which are added.

        Raises:
            DataError: If a file or a band is not valid.
        """
        if given is None or isinstance(given, str):
            given = cls.read(given or PUBLISHED)
        elif not isinstance(given, Spectrum):
            given = cls(bands_of(given, "spectrum"))
        for path in sensors:
            ranges = bands_of(read_json(path, Ranges).spectrum, str(path))
            given = given.extended(ranges, str(path))
        return given

    @property
    def learned(self) -> tuple[str, ...]:
        """Names of the bands with learned weights, by index."""
        return self._indexed(interpolated=False)

    @property
    def interpolated(self) -> tuple[str, ...]:
        """Names of the bands without weights of their own, by index."""
        return self._indexed(interpolated=True)

    def _indexed(self, *, interpolated: bool) -> tuple[str, ...]:
        found = {
            name: band.index
            for name, band in self.bands.items()
            if band.index is not None and (band.interpolated_from is not None) is interpolated
        }
        return tuple(sorted(found, key=lambda name: found[name]))

    def index(self, name: str) -> int:
        """Return the index of the projection of a band.

        Raises:
            DataError: If there is no such band, or it has no projection.
        """
        usable = (*self.learned, *self.interpolated)
        if (band := self.bands.get(name)) is None:
            raise DataError(f"{self.origin}: no band {name!r}; {nearest(name, usable)}")
        if band.index is None:
            raise DataError(
                f"{self.origin}: the band {name!r} ({band.label}) has no projection; leave it out"
            )
        return band.index

    def extended(self, bands: Mapping[str, Band], origin: str) -> "Spectrum":
        """Add bands of another sensor, each interpolated from the two nearest learned bands.

        The nearest below and the nearest above, by their centres, are taken; at an end of the
        spectrum, the two nearest. Both have the polarisation of the new band, or none.

        Args:
            bands: New bands by name; ``index`` is not set.
            origin: File that messages name.

        Raises:
            DataError: If a name is in use for another band, an index is set, or there are no two
                learned bands of the same polarisation.
        """
        known = dict(self.bands)
        for name, band in bands.items():
            if band.index is not None:
                raise DataError(f"{origin}: {name}: remove index, which follows from the spectrum")
            if name in known:
                old = known[name]
                if (old.min_nm, old.max_nm, old.polarisation) == (
                    *(band.min_nm, band.max_nm),
                    band.polarisation,
                ):
                    continue
                raise DataError(
                    f"{origin}: {name!r} is a band of {old.min_nm:g}-{old.max_nm:g} nm in "
                    f"{self.origin}; give the new one another name"
                )
            self._check_sources(name, band, origin)
            number = 1 + max((b.index for b in known.values() if b.index is not None), default=-1)
            sources = band.interpolated_from or self._neighbours(name, band, origin)
            known[name] = msgspec.structs.replace(band, index=number, interpolated_from=sources)
        return replace(self, bands=known)

    def _check_sources(self, name: str, band: Band, origin: str) -> None:
        for other in band.interpolated_from or ():
            if other not in self.learned:
                raise DataError(
                    f"{origin}: {name} is interpolated from {other!r}, which is no band with "
                    f"learned weights; {nearest(other, self.learned)}"
                )

    def _neighbours(self, name: str, band: Band, origin: str) -> tuple[str, str]:
        """Return the learned bands below and above a new one, or the two nearest."""
        centres = {
            other: self.bands[other].centre_nm
            for other in self.learned
            if self.bands[other].polarisation == band.polarisation
        }
        if len(centres) < 2:
            kind = "optical" if band.polarisation is None else f"{band.polarisation}-polarised"
            raise DataError(
                f"{origin}: {name}: two learned {kind} bands are needed to interpolate it, "
                f"{self.origin} has {len(centres)}; name two in interpolated_from"
            )
        by_distance = sorted(centres, key=lambda other: abs(centres[other] - band.centre_nm))
        below = [other for other in by_distance if centres[other] <= band.centre_nm]
        above = [other for other in by_distance if centres[other] > band.centre_nm]
        if below and above:
            return below[0], above[0]
        return by_distance[0], by_distance[1]

    def mixing(self, interpolation: Interpolation = "linear") -> np.ndarray:
        """Return the weights of the learned projections in each interpolated one.

        Shape:
            - returns: (interpolated bands, learned bands), float64; each row sums to 1.
        """
        learned = {name: i for i, name in enumerate(self.learned)}
        weights = np.zeros((len(self.interpolated), len(learned)))
        for row, name in zip(weights, self.interpolated, strict=True):
            band = self.bands[name]
            first, second = band.interpolated_from or ("", "")
            distances = [abs(band.centre_nm - self.bands[s].centre_nm) for s in (first, second)]
            share = distances[1] / sum(distances) if sum(distances) else 0.5
            if interpolation == "inverted":
                share = 1 - share
            row[learned[first]] += share
            row[learned[second]] += 1 - share
        return weights
