"""Series as GeoTIFF: one raster per year, or one with a band for each year and band."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from openstl_ext.datasets.formats.label_map import checked_classes
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.leftovers import entries
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.window import Window

LABEL = "label.tif"
YEAR = r"(?:1[89]|20)\d\d"
OF_A_YEAR = re.compile(rf"(?:.*[_-])?({YEAR})$")
"""File name, without its ending, of the raster of one year."""
BAND_OF_A_YEAR = re.compile(rf"({YEAR})[_-](.+)$")
"""Description of a band in a raster of all years."""


@dataclass(frozen=True)
class _Place:
    """File and number of one band of one year."""

    path: Path
    band: int


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Contents of the rasters.

    Args:
        years: Years from names or descriptions.
        bands: Names from descriptions; empty if there are none.
        places: Bands of each year.
    """

    years: list[int]
    bands: list[str]
    places: list[list[_Place]]


@final
class GeoTIFFSeries:
    """Series that is read in windows from GeoTIFFs.

    Years are taken from file names (``landsat_1990.tif``) and bands from their descriptions, or
    both from the descriptions of one file (``1990_red``), year by year. ``stack.json`` in the
    same folder completes what the rasters lack and must agree with the rest.

    Args:
        source: Folder of the rasters, or the one raster.
        labelled: Whether ``label.tif`` is required in the folder; its nodata value means unknown.

    Raises:
        DatasetNotFoundError: If a required label is missing.
        DataError: If years, bands or grids disagree; it names both files and their values.
    """

    def __init__(self, source: Path, *, labelled: bool = True) -> None:
        folder = source if source.is_dir() else source.parent
        paths = rasters_in(source)
        has_file = (folder / FACTS).is_file()
        stored = SeriesFacts()
        if has_file:
            stored = SeriesFacts.read(folder / FACTS, complete=False)
        is_one = _holds_all_years(paths, stored)
        found = _in_one_file(paths[0], stored) if is_one else _by_year(paths)
        facts_path = folder / FACTS if has_file else paths[0]
        self.facts = _merged(stored, found, facts_path, paths[0])
        self._values = replace(self.facts, nodata=None)  # RasterLayer replaces nodata by NaN
        self._places = found.places
        _check_counts(self.facts, found.places, facts_path)
        _check_scaling(self.facts, found.places, facts_path)
        self._stacks: dict[tuple[int, int, tuple[int, ...]], RasterStack] = {}
        everything = self._stack(slice(0, len(self._places)), range(len(self.facts.bands)))
        self.grid = everything.grid
        self.facts = replace(self.facts, crs=self.grid.crs, transform=self.grid.transform)
        self.label = folder / LABEL
        if labelled:
            if not self.label.is_file():
                raise DatasetNotFoundError(self.label, prepare=f"{PREPARE} --help")
            self._label = RasterLayer(self.label, codes=True)
            self._label.grid.check_same(self.grid, path=self.label, other_path=paths[0])
            _check_label(self._label, self.facts.classes)

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        values = self._stack(years, bands).read(window)
        shape = (-1, len(bands), window.height, window.width)
        return self._values.in_data_units(values.reshape(shape), self.label.parent)

    def labels(self, window: Window, ignore_index: int) -> NDArray[np.int64]:
        place = f"the window at row {window.row}, column {window.column}"
        classes = self.facts.classes
        stored = self._label.read(window)
        return checked_classes(
            stored, classes, ignore_index=ignore_index, path=self.label, place=place
        )

    def _stack(self, years: slice, bands: Sequence[int]) -> RasterStack:
        """Return the layers of some years and bands, year by year, cached."""
        key = (years.start, years.stop, tuple(bands))
        if key not in self._stacks:
            chosen = [year[band] for year in self._places[years] for band in bands]
            nodata = self.facts.nodata
            self._stacks[key] = RasterStack(
                [RasterLayer(place.path, band=place.band, nodata=nodata) for place in chosen]
            )
        return self._stacks[key]


def rasters_in(source: Path) -> list[Path]:
    """Return the rasters of a folder except the label, sorted; or the given raster."""
    if source.is_file():
        return [source]
    found = (p for p in entries(source) if p.suffix.lower() in (".tif", ".tiff"))
    return [path for path in found if path.name != LABEL]


def _holds_all_years(paths: list[Path], stored: SeriesFacts) -> bool:
    """Return whether one raster contains all years."""
    if len(paths) > 1:
        return False
    of_years = all(BAND_OF_A_YEAR.match(text) for text in _descriptions(paths[0]))
    return of_years or OF_A_YEAR.match(paths[0].stem) is None or len(stored.years) > 1


def _in_one_file(path: Path, stored: SeriesFacts) -> _Found:
    texts = _descriptions(path)
    years, bands = list(stored.years), list(stored.bands)
    matches = [BAND_OF_A_YEAR.match(text) for text in texts]
    if all(matches):
        pairs = [(int(m[1]), m[2]) for m in matches if m]
        years = list(dict.fromkeys(year for year, _ in pairs))
        bands = list(dict.fromkeys(band for _, band in pairs))
        if pairs != [(year, band) for year in years for band in bands]:
            raise DataError(
                f"{path}: bands are {_shown(texts)}; order them year by year, each year with the "
                "same bands"
            )
    elif not (years and bands):
        raise DataError(
            f"{path}: years and bands are unknown; describe each band as 1990_red, or write years "
            f"and bands to {FACTS}"
        )
    places = [_Place(path, number) for number in range(1, len(texts) + 1)]
    count = len(bands)
    by_year = [places[i : i + count] for i in range(0, len(places), count)]
    return _Found(years=years, bands=bands, places=by_year)


def _by_year(paths: list[Path]) -> _Found:
    by_year: dict[int, Path] = {}
    for path in paths:
        if (match := OF_A_YEAR.match(path.stem)) is None:
            raise DataError(f"{path}: the name must end with a year, as in landsat_1990.tif")
        if other := by_year.get(int(match[1])):
            raise DataError(f"{path} and {other} are both of {match[1]}; remove one")
        by_year[int(match[1])] = path
    years = sorted(by_year)
    first = by_year[years[0]]
    bands = _descriptions(first)
    places = []
    for year in years:
        if (found := _descriptions(by_year[year])) != bands:
            raise DataError(
                f"{by_year[year]}: bands are {_shown(found)}, expected {_shown(bands)} as in "
                f"{first}"
            )
        places.append([_Place(by_year[year], n) for n in range(1, len(bands) + 1)])
    return _Found(years=years, bands=bands if all(bands) else [], places=places)


def _merged(stored: SeriesFacts, found: _Found, facts_path: Path, raster: Path) -> SeriesFacts:
    """Complete the facts of ``stack.json`` with those of the rasters, which must agree."""
    known = {"years": tuple(found.years), "bands": tuple(found.bands)}
    known = {name: values for name, values in known.items() if values}
    for name, values in known.items():
        expected = getattr(stored, name)
        if expected and values != expected:
            raise DataError(
                f"{raster}: {name} are {_shown(values)}, but {facts_path} has {_shown(expected)}; "
                "correct the latter"
            )
    facts = replace(stored, **known)
    facts.check(facts_path)
    return facts


def _check_counts(facts: SeriesFacts, places: list[list[_Place]], facts_path: Path) -> None:
    counts = [len(year) for year in places]
    if counts != [len(facts.bands)] * len(facts.years):
        raise DataError(
            f"{facts_path}: {len(facts.years)} years of {len(facts.bands)} bands "
            f"({', '.join(facts.bands)}), but the rasters have {sum(counts)} bands in "
            f"{len(places)} years; correct the former"
        )


def _check_scaling(facts: SeriesFacts, places: list[list[_Place]], facts_path: Path) -> None:
    """Reject a scale in ``stack.json`` if the rasters have one: it would be applied twice."""
    scale, offset = facts.scale, facts.offset
    if (scale, offset) == (1, 0):
        return
    for place in (place for year in places for place in year):
        if (own := RasterLayer(place.path, band=place.band).scaling) != (1, 0):
            raise DataError(
                f"{place.path}: band {place.band} has the scale {own[0]:g} and offset {own[1]:g}, "
                f"and {facts_path} has {scale:g} and {offset:g}; remove them from the latter"
            )


def _check_label(label: RasterLayer, classes: Sequence[str]) -> None:
    """Refuse a label whose nodata value is a class: all pixels of it would be unknown."""
    nodata = label.file.dataset.nodatavals[0]
    if nodata is not None and nodata in range(len(classes)):
        raise DataError(
            f"{label.path}: nodata is {nodata:g}, which is the class {classes[int(nodata)]!r}; set "
            f"another value with `rio edit-info --nodata 255 {label.path}`"
        )


def _descriptions(path: Path) -> list[str]:
    """Return the descriptions of the bands of a raster; empty texts if there are none."""
    count = RasterLayer(path).num_bands
    return [RasterLayer(path, band=n).description for n in range(1, count + 1)]


def _shown(values: Sequence) -> str:
    return ", ".join(str(v) or "nameless" for v in values)
