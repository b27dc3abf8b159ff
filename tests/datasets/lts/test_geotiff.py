"""Series as GeoTIFF: years, bands and grids of the files."""

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
    """Write a raster whose bands contain their number."""
    descriptions = names or [""] * count
    with RasterWriter(
        path, grid, num_bands=len(descriptions), dtype="int16", descriptions=names
    ) as writer:
        for band in range(1, len(descriptions) + 1):
            shape = (grid.height, grid.width)
            writer.write(np.full(shape, first + band), Window(0, 0, *shape), band)


def write_facts(root: Path, **facts: object) -> None:
    (root / "stack.json").write_text(json.dumps(facts))


def opened(source: Path) -> GeoTIFFSeries:
    return GeoTIFFSeries(source, labelled=False)


def read(series: GeoTIFFSeries) -> list[list[float]]:
    """Return the mean of every band of every year."""
    whole = slice(0, len(series.facts.years))
    frames = series.frames(Window(2, 3, 4, 5), whole, range(len(series.facts.bands)))
    assert frames.shape[2:] == (4, 5)
    return frames.mean(axis=(2, 3)).tolist()


def test_years_come_from_names_and_bands_from_descriptions(tmp_path: Path) -> None:
    """Rasters with complete metadata would need another file."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"], first=20)
    put(tmp_path / "lt_1999.tif", ["red", "nir"], first=10)
    series = opened(tmp_path)
    assert series.facts.years == (1999, 2001)
    assert series.facts.bands == ("red", "nir")
    assert read(series) == [[11, 12], [21, 22]]
    assert series.grid.differs_from(GRID) == []
    assert series.facts.transform == PLACE


def test_one_file_may_contain_all_years(tmp_path: Path) -> None:
    """An export of all years would have to be split first."""
    put(tmp_path / "all.tif", ["1999_red", "1999_nir", "2001_red", "2001_nir"])
    for source in (tmp_path, tmp_path / "all.tif"):
        series = opened(source)
        assert (series.facts.years, series.facts.bands) == ((1999, 2001), ("red", "nir"))
        assert read(series) == [[1, 2], [3, 4]]


def test_stack_json_completes_the_rasters(tmp_path: Path) -> None:
    """Rasters without descriptions could not be used."""
    put(tmp_path / "all.tif", [], count=4)
    with pytest.raises(DataError, match=r"all\.tif: years and bands are unknown"):
        opened(tmp_path)
    write_facts(tmp_path, years=[1999, 2001], bands=["red", "nir"], scale=0.5, offset=1)
    assert read(opened(tmp_path)) == [[1.5, 2], [2.5, 3]]
    write_facts(tmp_path, years=[1999, 2001, 2002], bands=["red", "nir"])
    with pytest.raises(
        DataError, match=r"stack\.json: 3 years of 2 bands .* rasters have 4 bands in 2"
    ):
        opened(tmp_path)
    write_facts(tmp_path, years=[1999, 2001], bands=["red", "nir", "blue"])
    with pytest.raises(
        DataError, match=r"stack\.json: 2 years of 3 bands .* rasters have 4 bands in 2"
    ):
        opened(tmp_path)


def test_nodata_may_be_given_in_stack_json(tmp_path: Path) -> None:
    """Clouds in rasters without a nodata tag would be data."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"])
    write_facts(tmp_path, years=[2001], bands=["red", "nir"], nodata=2, scale=0.1)
    frames = opened(tmp_path).frames(Window(0, 0, 2, 2), slice(0, 1), [1, 0])
    assert np.isnan(frames[0, 0]).all()
    np.testing.assert_allclose(frames[0, 1], 0.1)


def test_grids_that_differ_between_years_are_shown(tmp_path: Path) -> None:
    """Years of different areas would be combined."""
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
        (
            {"a_2000": ["red", "nir"], "a_2001": ["nir", "red"]},
            "bands are nir, red, expected red, nir",
        ),
        ({"a_2000": ["red"], "a_2001": ["red", "nir"]}, "2001.tif: bands are red, nir"),
        ({"a_2000": ["red"], "b_2000": ["red"]}, r"a_2000\.tif are both of 2000"),
        ({"a_2000": ["red"], "slope": ["red"]}, r"slope\.tif: the name must end with a year"),
        ({"a": ["2000_red", "2001_red", "2000_nir"]}, "order them year by year"),
    ],
)
def test_rasters_that_disagree_are_named(tmp_path: Path, files: dict, message: str) -> None:
    """Red of one year would be combined with near infrared of the next."""
    for name, bands in files.items():
        put(tmp_path / f"{name}.tif", bands)
    with pytest.raises(DataError, match=message):
        opened(tmp_path)


def test_metadata_that_contradicts_the_rasters_is_rejected(tmp_path: Path) -> None:
    """An outdated list would rename every band."""
    put(tmp_path / "lc_2001.tif", ["red", "nir"])
    write_facts(tmp_path, years=[2001], bands=["nir", "red"])
    with pytest.raises(DataError, match=r"bands are red, nir, but .*stack\.json has nir, red"):
        opened(tmp_path)


def test_nodata_of_the_label_is_unknown_and_the_label_is_required(tmp_path: Path) -> None:
    """Unknown pixels would be background."""
    put(tmp_path / "lc_2001.tif", ["red"])
    with pytest.raises(DatasetNotFoundError, match=r"label\.tif"):
        GeoTIFFSeries(tmp_path)
    label = np.zeros((16, 24))
    label[0], label[1] = 9, 1
    with RasterWriter(tmp_path / "label.tif", GRID, dtype="uint8", nodata=9) as writer:
        writer.write(label, Window(0, 0, 16, 24))
    found = GeoTIFFSeries(tmp_path).labels(Window(0, 0, 3, 2), 255)
    assert found.tolist() == [[255, 255], [1, 1], [0, 0]]


def test_values_are_scaled_by_the_rasters_or_by_stack_json(tmp_path: Path) -> None:
    """A reflectance of 0.3 would be read as 0.00003."""
    band = np.full((GRID.height, GRID.width), 0.3)
    with RasterWriter(
        tmp_path / "lc_2001.tif", GRID, dtype="int16", descriptions=["red"], scale=1e-4
    ) as writer:
        writer.write(band, Window(0, 0, GRID.height, GRID.width), 1)
    write_facts(tmp_path, scale=1e-4)
    with pytest.raises(
        DataError, match=r"lc_2001\.tif: band 1 has the scale 0\.0001 .*stack\.json"
    ):
        opened(tmp_path)
    write_facts(tmp_path, unit="reflectance")
    np.testing.assert_allclose(read(opened(tmp_path)), [[0.3]], rtol=1e-6)
