"""Series as GeoTIFF: what the files say of years, bands and places."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.lts.geotiff import GeoTIFFSeries
from openstl_ext.datasets.synthetic import landscape
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

PLACE = (30.0, 0.0, 500_000.0, 0.0, -30.0, 5_200_000.0)
GRID = Grid(height=16, width=24, crs=landscape.UTM, transform=PLACE)


def put(path: Path, names: list[str], *, count: int = 2, grid: Grid = GRID, first: int = 0) -> None:
    """Write a raster whose bands hold their number."""
    descriptions = names or [""] * count
    with RasterWriter(
        path, grid, num_bands=len(descriptions), dtype="int16", descriptions=names
    ) as writer:
        for band in range(1, len(descriptions) + 1):
            shape = (grid.height, grid.width)
            writer.write(np.full(shape, first + band), Window(0, 0, *shape), band)


def says(root: Path, **facts: object) -> None:
    (root / "stack.json").write_text(json.dumps(facts))


def opened(source: Path) -> GeoTIFFSeries:
    return GeoTIFFSeries(source, labelled=False)


def read(series: GeoTIFFSeries) -> list[list[float]]:
    """Mean of every band of every year."""
    whole = slice(0, len(series.facts.years))
    frames = series.frames(Window(2, 3, 4, 5), whole, range(len(series.facts.bands)))
    assert frames.shape[2:] == (4, 5)
    return frames.mean(axis=(2, 3)).tolist()


def test_years_come_from_names_and_bands_from_descriptions(tmp_path: Path) -> None:
    """If this fails, rasters that say everything need a file that says it again."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"], first=20)
    put(tmp_path / "lt_1999.tif", ["red", "nir"], first=10)
    series = opened(tmp_path)
    assert series.facts.years == (1999, 2001)
    assert series.facts.bands == ("red", "nir")
    assert read(series) == [[11, 12], [21, 22]]
    assert series.grid.differs_from(GRID) == []
    assert series.facts.transform == PLACE


def test_one_file_may_hold_all_years(tmp_path: Path) -> None:
    """If this fails, an export of a whole stack has to be taken apart first."""
    put(tmp_path / "all.tif", ["1999_red", "1999_nir", "2001_red", "2001_nir"])
    for source in (tmp_path, tmp_path / "all.tif"):
        series = opened(source)
        assert (series.facts.years, series.facts.bands) == ((1999, 2001), ("red", "nir"))
        assert read(series) == [[1, 2], [3, 4]]


def test_what_the_files_leave_open_the_facts_say(tmp_path: Path) -> None:
    """If this fails, rasters without descriptions cannot be used."""
    put(tmp_path / "all.tif", [], count=4)
    with pytest.raises(DataError, match=r"all\.tif: its bands have no descriptions"):
        opened(tmp_path)
    says(tmp_path, years=[1999, 2001], bands=["red", "nir"], scale=0.5, offset=1)
    assert read(opened(tmp_path)) == [[1.5, 2], [2.5, 3]]
    says(tmp_path, years=[1999, 2001, 2002], bands=["red", "nir"])
    with pytest.raises(DataError, match=r"stack\.json: 3 years, but the rasters hold 2"):
        opened(tmp_path)
    says(tmp_path, years=[1999, 2001], bands=["red", "nir", "blue"])
    with pytest.raises(DataError, match=r"all\.tif: 4 bands are no whole number of years"):
        opened(tmp_path)


def test_a_number_that_means_missing_may_be_said_outside(tmp_path: Path) -> None:
    """If this fails, rasters without a nodata tag hold clouds as data."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"])
    says(tmp_path, years=[2001], bands=["red", "nir"], nodata=2, scale=0.1)
    frames = opened(tmp_path).frames(Window(0, 0, 2, 2), slice(0, 1), [1, 0])
    assert np.isnan(frames[0, 0]).all()
    np.testing.assert_allclose(frames[0, 1], 0.1)


def test_a_crs_that_differs_between_years_is_shown_with_both(tmp_path: Path) -> None:
    """If this fails, two years are laid over each other that lie six degrees apart."""
    west = landscape.UTM.replace("zone 33N", "zone 32N").replace('_meridian",15', '_meridian",9')
    west = west.replace('"EPSG","32633"', '"EPSG","32632"')
    put(tmp_path / "lc_2000.tif", ["red"])
    put(tmp_path / "lc_2001.tif", ["red"], grid=replace(GRID, crs=west))
    with pytest.raises(DataError, match=r"(?s)2000.*2001.* differ in CRS.*zone 33N.*zone 32N"):
        opened(tmp_path)
    moved = replace(GRID, transform=(30.0, 0.0, 500_030.0, 0.0, -30.0, 5_200_000.0))
    put(tmp_path / "lc_2001.tif", ["red"], grid=moved)
    with pytest.raises(DataError, match=r"(?s)differ in transform.*500000.*500030"):
        opened(tmp_path)
    put(tmp_path / "lc_2001.tif", ["red"])
    put(tmp_path / "label.tif", ["site"], grid=replace(GRID, height=15))
    with pytest.raises(DataError, match=r"label\.tif and .*lc_2000\.tif differ in size"):
        GeoTIFFSeries(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a_2000": ["red", "nir"], "a_2001": ["nir", "red"]}, "has the bands nir, red, and .*red"),
        ({"a_2000": ["red"], "a_2001": ["red", "nir"]}, "2001.tif has the bands red, nir"),
        ({"a_2000": ["red"], "b_2000": ["red"]}, r"a_2000\.tif are both of 2000"),
        ({"a_2000": ["red"], "slope": ["red"]}, r"slope\.tif: its name does not end in a year"),
        ({"a": ["2000_red", "2001_red", "2000_nir"]}, "not every band of the first year, then"),
    ],
)
def test_rasters_that_disagree_are_named(tmp_path: Path, files: dict, message: str) -> None:
    """If this fails, red of one year is compared with near infrared of the next."""
    for name, bands in files.items():
        put(tmp_path / f"{name}.tif", bands)
    with pytest.raises(DataError, match=message):
        opened(tmp_path)


def test_facts_that_contradict_the_rasters_are_refused(tmp_path: Path) -> None:
    """If this fails, a list that was not kept up renames every band."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"])
    says(tmp_path, years=[2001], bands=["nir", "red"])
    with pytest.raises(DataError, match=r"its bands are red, nir, but .*stack\.json says nir, red"):
        opened(tmp_path)


def test_a_label_without_truth_and_none_at_all(tmp_path: Path) -> None:
    """If this fails, nodata of the label is background, or its absence is found by GDAL."""
    put(tmp_path / "lc_2001.tif", ["red"])
    with pytest.raises(DatasetNotFoundError, match=r"label\.tif"):
        GeoTIFFSeries(tmp_path)
    label = np.zeros((16, 24))
    label[0], label[1] = 9, 1
    with RasterWriter(tmp_path / "label.tif", GRID, dtype="uint8", nodata=9) as writer:
        writer.write(label, Window(0, 0, 16, 24))
    found = GeoTIFFSeries(tmp_path).labels(Window(0, 0, 3, 2), 255)
    assert found.tolist() == [[255, 255], [1, 1], [0, 0]]
    with pytest.raises(DatasetNotFoundError, match=r"\*\.tif"):
        opened(tmp_path / "nowhere")


def test_values_are_scaled_by_the_rasters_or_by_the_facts_and_not_by_both(tmp_path: Path) -> None:
    """If this fails, a reflectance of 0.3 is read as 0.00003, and nobody hears of it."""
    band = np.full((GRID.height, GRID.width), 0.3)
    with RasterWriter(
        tmp_path / "lc_2001.tif", GRID, dtype="int16", descriptions=["red"], scale=1e-4
    ) as writer:
        writer.write(band, Window(0, 0, GRID.height, GRID.width), 1)
    says(tmp_path, scale=1e-4)
    with pytest.raises(DataError, match=r"lc_2001\.tif: declares the scale 0\.0001 .*stack\.json"):
        opened(tmp_path)
    says(tmp_path, unit="reflectance")
    np.testing.assert_allclose(read(opened(tmp_path)), [[0.3]], rtol=1e-6)
