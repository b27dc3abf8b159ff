"""A series as GeoTIFF: one raster a year, or one whose bands are years and bands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.label_map import checked_classes
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts, content_of
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.window import Window

LABEL = "label.tif"
YEAR = r"(?:1[89]|20)\d\d"
OF_A_YEAR = re.compile(rf"(?:.*[_-])?({YEAR})$")
"""Name, without its ending, of the raster of one year."""
BAND_OF_A_YEAR = re.compile(rf"({YEAR})[_-](.+)$")
"""Description of a band in a raster of all years."""


@dataclass(frozen=True)
class _Place:
    """Where one band of one year lies."""

    path: Path
    band: int


@final
class GeoTIFFSeries:
    """A series that is read in windows from GeoTIFF.

    Years come from the names of the files (``landsat_1990.tif``) and bands from their
    descriptions, or both from the descriptions of one file (``1990_red``), year by year; what the
    files leave open, ``stack.json`` beside them says, and where both speak they must agree.

    Args:
        source: Folder of the rasters, or the one raster.
        labelled: Whether ``label.tif`` must lie beside them; its nodata value means unknown.

    Raises:
        DatasetNotFoundError: If there is no raster, or no label.
        DataError: If years, bands or grids disagree, with both files and what they say.
    """

    def __init__(self, source: Path, *, labelled: bool = True) -> None:
        folder = source if source.is_dir() else source.parent
        paths = rasters_in(source)
        if not paths:
            raise DatasetNotFoundError(folder / "*.tif", prepare=f"{PREPARE} --help")
        said = content_of(folder / FACTS) if (folder / FACTS).is_file() else {}
        content, places = _in_one_file(paths[0], said) if _is_all(paths, said) else _by_year(paths)
        facts_path = folder / FACTS if said else paths[0]
        for name, found in content.items():
            # years and bands that the files tell must be those of stack.json
            if found and said.get(name) and list(found) != list(said[name]):
                raise DataError(
                    f"{paths[0]}: its {name} are {_shown(found)}, but {folder / FACTS} says "
                    f"{_shown(said[name])}"
                )
        known = {name: found for name, found in content.items() if found}
        self.facts = SeriesFacts.of({**said, **known}, facts_path)
        self._values = replace(self.facts, nodata=None)  # the raster has made NaN of it
        self._check_counts(places, facts_path)
        self._check_scaling(places, facts_path)
        self._places = [[_Place(*place) for place in year] for year in places]
        self._stacks: dict[tuple[int, int, tuple[int, ...]], RasterStack] = {}
        everything = self._stack(slice(0, len(self._places)), range(len(self.facts.bands)))
        self.grid = everything.grid
        self.facts = replace(self.facts, crs=self.grid.crs, transform=self.grid.transform)
        self.label = folder / LABEL
        if labelled:
            if not self.label.is_file():
                raise DatasetNotFoundError(self.label, prepare=f"{PREPARE} --help")
            self._label = RasterLayer(self.label)
            self._label.grid.check_same(self.grid, path=self.label, other_path=paths[0])

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        values = self._stack(years, bands).read(window)
        shape = (-1, len(bands), window.height, window.width)
        return self._values.in_data_units(values.reshape(shape))

    def labels(self, window: Window, ignore_index: int) -> NDArray[np.int64]:
        place = f"the window at row {window.row}, column {window.column}"
        classes = self.facts.classes
        stored = self._label.read(window)
        return checked_classes(
            stored, classes, ignore_index=ignore_index, path=self.label, place=place
        )

    def _stack(self, years: slice, bands: Sequence[int]) -> RasterStack:
        """Layers of some years and bands, year by year; put together once."""
        key = (years.start, years.stop, tuple(bands))
        if key not in self._stacks:
            chosen = [year[band] for year in self._places[years] for band in bands]
            nodata = self.facts.nodata
            self._stacks[key] = RasterStack(
                [RasterLayer(place.path, band=place.band, nodata=nodata) for place in chosen]
            )
        return self._stacks[key]

    def _check_counts(self, places: list[list[tuple[Path, int]]], facts_path: Path) -> None:
        years, bands = len(self.facts.years), len(self.facts.bands)
        if len(places) != years:
            raise DataError(f"{facts_path}: {years} years, but the rasters hold {len(places)}")
        for year in places:
            if len(year) != bands:
                raise DataError(
                    f"{year[0][0]}: {len(year)} bands, but {facts_path} has {bands}: "
                    f"{', '.join(self.facts.bands)}"
                )

    def _check_scaling(self, places: list[list[tuple[Path, int]]], facts_path: Path) -> None:
        """Values would be multiplied twice where both the rasters and ``stack.json`` say how."""
        scale, offset = self.facts.scale, self.facts.offset
        if (scale, offset) == (1, 0):
            return
        for path, band in (place for year in places for place in year):
            if (own := RasterLayer(path, band=band).scaling) != (1, 0):
                raise DataError(
                    f"{path}: declares the scale {own[0]:g} and offset {own[1]:g} for band {band}, "
                    f"and {facts_path} {scale:g} and {offset:g}; take them out of the latter"
                )


Found = tuple[dict[str, list], list[list[tuple[Path, int]]]]
"""Years and bands as the files tell them, perhaps empty; file and band of each year's bands."""


def rasters_in(source: Path) -> list[Path]:
    """The rasters of a folder but for the label, by name; or the one that was named."""
    if source.is_file():
        return [source]
    found = (p for p in source.glob("*") if p.suffix.lower() in (".tif", ".tiff"))
    return sorted(p for p in found if p.name != LABEL and not p.name.startswith("."))


def _is_all(paths: list[Path], said: dict) -> bool:
    """Whether one raster holds all years."""
    if len(paths) > 1:
        return False
    of_years = all(BAND_OF_A_YEAR.match(text) for text in _descriptions(paths[0]))
    return of_years or OF_A_YEAR.match(paths[0].stem) is None or len(said.get("years", ())) > 1


def _in_one_file(path: Path, said: dict) -> Found:
    texts = _descriptions(path)
    parsed = [BAND_OF_A_YEAR.match(text) for text in texts]
    if all(parsed):
        pairs = [(int(m[1]), m[2]) for m in parsed if m]
        years, bands = (list(dict.fromkeys(column)) for column in zip(*pairs, strict=True))
        if pairs != [(year, band) for year in years for band in bands]:
            raise DataError(
                f"{path}: its bands are {_shown(texts)}, which is not every band of the first "
                "year, then every band of the next"
            )
    elif said.get("years") and said.get("bands"):
        years, bands = [], []
    else:
        raise DataError(
            f"{path}: its bands have no descriptions as 1990_red, and no {FACTS} beside it says "
            "its years and bands"
        )
    count = len(bands or said["bands"])
    if len(texts) % count:
        raise DataError(f"{path}: {len(texts)} bands are no whole number of years of {count} bands")
    numbers = range(1, len(texts) + 1)
    places = [[(path, n) for n in numbers[i : i + count]] for i in range(0, len(texts), count)]
    return {"years": years, "bands": bands}, places


def _by_year(paths: list[Path]) -> Found:
    by_year: dict[int, Path] = {}
    for path in paths:
        if (match := OF_A_YEAR.match(path.stem)) is None:
            raise DataError(f"{path}: its name does not end in a year, as landsat_1990.tif does")
        if other := by_year.get(int(match[1])):
            raise DataError(f"{path} and {other} are both of {match[1]}")
        by_year[int(match[1])] = path
    years = sorted(by_year)
    first = by_year[years[0]]
    bands = _descriptions(first)
    places = []
    for year in years:
        if (found := _descriptions(by_year[year])) != bands:
            raise DataError(
                f"{by_year[year]} has the bands {_shown(found)}, and {first} {_shown(bands)}"
            )
        places.append([(by_year[year], n) for n in range(1, len(bands) + 1)])
    return {"years": years, "bands": bands if all(bands) else []}, places


def _descriptions(path: Path) -> list[str]:
    """What a raster says of its bands; empty texts if nothing."""
    count = RasterLayer(path).num_bands
    return [RasterLayer(path, band=n).description for n in range(1, count + 1)]


def _shown(values: Sequence) -> str:
    return ", ".join(str(v) or "nameless" for v in values)
