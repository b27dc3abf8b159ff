"""Series of GeoTIFFs with fill values, hidden pixels, empty years and wrong nodata values."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp

from openstl_ext.datasets.lts.files import open_series, size_of
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.report import verify
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.synthetic.landscape import write_toy
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.window import Window

PLACE = rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)
SIDE = 128
SETTINGS = CutSettings(patch_size=16, block_size=32, buffer=0)
BANDS = ("blue", "green", "red", "nir")


def write_series(
    root: Path,
    first: np.ndarray | None = None,
    *,
    nodata: float | None = 255,
    crs: tuple[str, str] = ("EPSG:32633", "EPSG:32633"),
    colours: list[ColorInterp] | None = None,
) -> Path:
    """Write two years of four bands with a label; ``first`` are the values of the first."""
    rng = np.random.default_rng(0)
    geo: dict[str, Any] = {"driver": "GTiff", "height": SIDE, "width": SIDE, "transform": PLACE}
    for year, system in zip((2000, 2001), crs, strict=True):
        values = rng.random((4, SIDE, SIDE), np.float32) + 0.1
        values = first if first is not None and (year == 2000 or colours) else values
        path = root / f"ls_{year}.tif"
        with rasterio.open(
            path, "w", count=len(values), dtype=values.dtype, crs=system, **geo
        ) as file:
            if colours:
                file.colorinterp = colours
            file.write(values)
            file.descriptions = [*BANDS, "mask"][: len(values)]
    with rasterio.open(
        root / "label.tif", "w", count=1, dtype="uint8", nodata=nodata, crs=crs[0], **geo
    ) as file:
        file.write((rng.random((1, SIDE, SIDE)) > 0.8).astype("uint8"))
    return root


def values_of(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((4, SIDE, SIDE), np.float32) + 0.1


@pytest.mark.parametrize("fill", [-3.4e38, -9999, 1e20])
def test_a_fill_value_reaches_no_statistics(tmp_path: Path, fill: float) -> None:
    """The mean of a band in 0-1 would be -1e38."""
    values = values_of()
    values[:, :, :40] = fill
    write_series(tmp_path, values)
    with pytest.raises(DataError, match=r"ls_2000\.tif: band 1 .* pixels are .* fill value"):
        cut(tmp_path, tmp_path, SETTINGS)
    assert not (tmp_path / "statistics.json").exists()


def test_verify_finds_a_fill_value_that_came_later(tmp_path: Path) -> None:
    """A raster that was replaced after the statistics would pass as complete."""
    cut(write_series(tmp_path), tmp_path, SETTINGS)
    values = values_of()
    values[2, :, :] = -9999
    write_series(tmp_path, values)
    with pytest.raises(DataError, match=r"ls_2000\.tif: band 3 .* -9999"):
        verify(tmp_path)


def test_zeros_in_every_band_are_reported(tmp_path: Path) -> None:
    """The frame of an image would darken the statistics without a word."""
    values = values_of()
    values[:, :50] = 0
    with pytest.warns(UserWarning, match=r"\d+ pixels are 0 in every band, most in 2000"):
        cut(write_series(tmp_path, values), tmp_path, SETTINGS)


def test_a_year_without_data_is_reported(tmp_path: Path) -> None:
    """Training would use one year less without a word."""
    write_series(tmp_path, np.full((4, SIDE, SIDE), np.nan, np.float32))
    with pytest.warns(UserWarning, match="no pixel of 2000 has data"):
        cut(tmp_path, tmp_path, SETTINGS)


@pytest.mark.parametrize("nodata", [0, 1])
def test_a_class_is_not_a_nodata_value(tmp_path: Path, nodata: int) -> None:
    """All pixels of a class would be unknown."""
    write_series(tmp_path, nodata=nodata)
    name = ("background", "site")[nodata]
    with pytest.raises(DataError, match=rf"label\.tif: nodata is {nodata}, .* class '{name}'"):
        open_series(tmp_path)
    assert open_series(tmp_path, labelled=False)  # a map needs no label


@pytest.mark.parametrize("ignored", [0, 1])
def test_a_class_is_not_the_number_of_unknown_pixels(tmp_path: Path, ignored: int) -> None:
    """The tool would cut patches as if a class did not exist."""
    series = open_series(write_series(tmp_path))
    with pytest.raises(ConfigError, match=f"ignore_index {ignored} is the class"):
        series.labels(Window(0, 0, 16, 16), ignored)


def test_verify_takes_the_patch_size_from_the_folder_and_counts_hidden_pixels(
    tmp_path: Path,
) -> None:
    """Pixels behind an alpha band would be values; the size would have to be given again."""
    values = np.random.default_rng(2).integers(1, 200, (5, SIDE, SIDE)).astype(np.uint8)
    values[4] = 255
    values[4, :64] = 0
    colours = [*(ColorInterp.red, ColorInterp.green, ColorInterp.blue), ColorInterp.undefined]
    write_series(tmp_path, values, colours=[*colours, ColorInterp.alpha])
    settings = CutSettings(patch_size=16, block_size=16, buffer=0, shares={"train": 1.0})
    with pytest.raises(DataError, match="band mask has the same value everywhere"):
        cut(tmp_path, tmp_path, settings)
    frames = open_series(tmp_path).frames(Window(0, 0, SIDE, SIDE), slice(0, 2), range(5))
    assert np.isnan(frames).mean() == 0.5
    write_series(tmp_path, values_of())
    cut(tmp_path, tmp_path, SETTINGS)
    assert size_of(tmp_path) == 16
    assert any("train: " in line for line in verify(tmp_path))


def test_the_same_places_with_and_without_height_are_one_series(tmp_path: Path) -> None:
    """A year with a vertical CRS, as of SRTM, would have to be resampled."""
    write_series(tmp_path, crs=("EPSG:32633", "EPSG:32633+5773"))
    assert open_series(tmp_path).facts.years == (2000, 2001)


@pytest.mark.parametrize("nodata", [float("nan"), float("inf"), 70_000, -1, 0.5, 1e300])
@pytest.mark.parametrize("kind", ["int16", "uint16", "uint8", "bool"])
def test_nodata_that_the_type_cannot_hold_means_nothing_is_missing(
    nodata: float, kind: str
) -> None:
    """The first sample would end in a traceback."""
    stored = np.array([[0, 1, 1]]).astype(kind)
    found = SeriesFacts(nodata=nodata).in_data_units(stored)
    np.testing.assert_array_equal(found, [[0, 1, 1]])


@pytest.mark.parametrize(
    ("stored", "nodata", "scale"),
    [
        (np.array([[100, -9999, 200]], np.int16), None, 0.0001),
        (np.array([[100, -9999, -32768]], np.int16), -9999, 1.0),
        (np.array([[0.5, np.nan, -3.4e38]], np.float32), None, 1.0),
        (np.array([[65535, 9, 10]], np.uint16), 0, 2.75e-5),
    ],
)
def test_arrays_with_a_fill_value_are_refused(
    stored: np.ndarray, nodata: float | None, scale: float
) -> None:
    """A fill value in a stack would be trained on."""
    with pytest.raises(DataError, match=r'x\.npy: .* fill value .* write "nodata" to stack\.json'):
        SeriesFacts(nodata=nodata, scale=scale).in_data_units(stored, "x.npy")


@pytest.mark.parametrize(
    ("removed", "named"),
    [
        ("landsat_stack.npy", "landsat_stack.npy"),
        ("stack.json", "stack.json"),
        ("label.npy", "label.npy"),
    ],
)
def test_a_missing_file_of_a_stack_is_named(tmp_path: Path, removed: str, named: str) -> None:
    """A user would look for a data set that is there."""
    write_toy(tmp_path)
    (tmp_path / removed).unlink()
    with pytest.raises(DatasetNotFoundError, match=rf"no dataset at .*/{named};"):
        open_series(tmp_path)


def test_a_georeference_in_stack_json_is_complete_or_refused(tmp_path: Path) -> None:
    """A map with a CRS would be placed by row and column."""
    write_toy(tmp_path)
    facts = json.loads((tmp_path / "stack.json").read_text())
    for transform in (None, [0.0] * 6):
        (tmp_path / "stack.json").write_text(
            json.dumps({**facts, "crs": "EPSG:32633", "transform": transform})
        )
        with pytest.raises(DataError, match=r"stack\.json: the georeference is"):
            open_series(tmp_path)


def test_good_series_give_no_warning(tmp_path: Path) -> None:
    """Warnings would be ignored if good data had them."""
    write_series(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cut(tmp_path, tmp_path, SETTINGS)
        verify(tmp_path)
