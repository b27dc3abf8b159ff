"""Raster layers: missing values, units and file handles."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio

from openstl_ext.errors import DataError
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.opening import CACHE_BYTES, small_cache
from openstl_ext.rasters.window import Window
from tests.rasters.files import write_tif

EVERYTHING = Window(0, 0, 12, 16)
VALUES = np.arange(12 * 16, dtype=np.int16).reshape(12, 16)


def test_nodata_is_compared_before_scale_and_offset_are_applied(tmp_path: Path) -> None:
    """Missing pixels would get values, or values in 0-10000 would be read as 0-1."""
    path = write_tif(tmp_path / "a.tif", VALUES, nodata=7, scale=0.01, offset=5.0)
    read = RasterLayer(path).read(EVERYTHING)
    assert read.dtype == np.float32
    expected = VALUES * 0.01 + 5
    np.testing.assert_allclose(read[VALUES != 7], expected[VALUES != 7], rtol=1e-6)
    np.testing.assert_array_equal(np.isnan(read), VALUES == 7)


def test_an_explicit_nodata_replaces_that_of_the_file(tmp_path: Path) -> None:
    """Files with a wrong nodata tag could not be used, or would lose valid values."""
    path = write_tif(tmp_path / "a.tif", VALUES, nodata=7, scale=2.0)
    read = RasterLayer(path, nodata=9).read(EVERYTHING)
    np.testing.assert_array_equal(np.isnan(read), VALUES == 9)
    assert read[0, 7] == 14


@pytest.mark.parametrize("nodata", [-3.4028234663852886e38, -3.4e38, -9999.1])
def test_nodata_of_a_float_is_compared_as_it_is_stored(tmp_path: Path, nodata: float) -> None:
    """A nodata value of -3.4e38 would be read as data, because float32 rounds it."""
    values = np.full((4, 5), 0.5, np.float32)
    values[1, 2] = nodata
    read = RasterLayer(write_tif(tmp_path / "a.tif", values), nodata=nodata).read(
        Window(0, 0, 4, 5)
    )
    np.testing.assert_array_equal(np.argwhere(np.isnan(read)), [[1, 2]])
    tagged = write_tif(tmp_path / "b.tif", values, nodata=float(np.float32(nodata)))
    np.testing.assert_array_equal(RasterLayer(tagged).read(Window(0, 0, 4, 5)), read)


def test_mask_bands_and_values_that_are_not_finite_are_missing(tmp_path: Path) -> None:
    """Masked clouds would be data, or a NaN would reach the weights."""
    values = VALUES.astype(np.float32)
    values[2, 3], values[4, 5] = np.nan, np.inf
    visible = np.ones(VALUES.shape, bool)
    visible[6:, :4] = False
    path = write_tif(tmp_path / "a.tif", values, visible=visible)
    read = RasterLayer(path).read(EVERYTHING)
    missing = ~visible
    missing[2, 3] = missing[4, 5] = True
    np.testing.assert_array_equal(np.isnan(read), missing)
    np.testing.assert_array_equal(read[~missing], values[~missing])


@pytest.mark.parametrize(
    "window",
    [Window(-3, -2, 8, 9), Window(8, 12, 9, 9), Window(-2, -2, 20, 30), Window(40, 3, 2, 2)],
)
def test_windows_may_extend_beyond_the_edge(tmp_path: Path, window: Window) -> None:
    """Tiles at the edge of a raster would be shifted or rejected."""
    layer = RasterLayer(write_tif(tmp_path / "a.tif", VALUES))
    padded = np.full((100, 100), np.nan, np.float32)
    padded[30:42, 30:46] = VALUES
    moved = Window(window.row + 30, window.column + 30, window.height, window.width)
    np.testing.assert_array_equal(layer.read(window), padded[moved.slices])


def test_a_layer_reads_its_own_band(tmp_path: Path) -> None:
    """A wrong year would be read."""
    path = write_tif(tmp_path / "a.tif", np.stack([VALUES, VALUES + 1]), descriptions=("", "2005"))
    first, second = RasterLayer(path), RasterLayer(path, band=2)
    assert (first.description, second.description, second.num_bands) == ("", "2005", 2)
    np.testing.assert_array_equal(second.read(EVERYTHING), VALUES + 1)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """Users could not find the broken file among many."""
    with pytest.raises(DataError, match=r"absent\.tif is not a raster .*No such file"):
        RasterLayer(tmp_path / "absent.tif").read(EVERYTHING)
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(DataError, match=r"text\.tif is not a raster"):
        _ = RasterLayer(tmp_path / "text.tif").grid


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    """An interrupted download would be trained on as missing data."""
    noise = np.random.default_rng(0).random((256, 256), np.float32)
    path = write_tif(tmp_path / "a.tif", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"a\.tif cannot be read at rows"):
        RasterLayer(path).read(Window(0, 0, 256, 256))


def test_bands_of_one_file_are_read_in_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with seven years would be opened and read seven times."""
    one = write_tif(tmp_path / "one.tif", np.stack([VALUES, VALUES + 1, VALUES + 2]), nodata=5)
    other = write_tif(tmp_path / "other.tif", VALUES * 2, nodata=8)
    opened = []
    true_open = rasterio.open
    monkeypatch.setattr(rasterio, "open", lambda p, **k: opened.append(p) or true_open(p, **k))
    layers = [
        RasterLayer(one, band=3),
        RasterLayer(other),
        RasterLayer(one, band=1, nodata=3),
    ]
    read = RasterStack(layers).read(EVERYTHING)
    assert sorted(opened) == [one, other]
    for found, layer in zip(read, layers, strict=True):
        np.testing.assert_array_equal(found, layer.read(EVERYTHING))
    assert [int(np.isnan(part).sum()) for part in read] == [1, 1, 1]


def test_misaligned_grids_are_an_error_with_both_grids(tmp_path: Path) -> None:
    """Pixels of different places would be combined."""
    one = write_tif(tmp_path / "one.tif", VALUES)
    moved = write_tif(tmp_path / "moved.tif", VALUES, transform=(0.5, 0, 10.25, 0, -0.5, 50))
    with pytest.raises(DataError) as error:
        RasterStack([RasterLayer(one), RasterLayer(moved)])
    text = str(error.value)
    assert "differ in transform" in text
    assert f"{one}: 12 x 16 pixels of 0.5 x -0.5 from (10, 50) in WGS 84" in text
    assert f"{moved}: 12 x 16 pixels of 0.5 x -0.5 from (10.25, 50) in WGS 84" in text
    metric = write_tif(tmp_path / "metric.tif", VALUES[:, :9], crs="EPSG:3857")
    with pytest.raises(DataError, match="differ in size and CRS:"):
        RasterStack([RasterLayer(one), RasterLayer(metric)])


def test_two_descriptions_of_one_crs_are_equal(tmp_path: Path) -> None:
    """Matching rasters of two programs could not be stacked."""
    metres = (1000.0, 0.0, 1e6, 0.0, -1000.0, 5e6)
    near = (1000.0 + 1e-9, *metres[1:])
    proj = "+proj=moll +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m"
    named = write_tif(tmp_path / "one.tif", VALUES, crs="ESRI:54009", transform=metres)
    spelt = write_tif(tmp_path / "two.tif", VALUES, crs=proj, transform=near)
    stack = RasterStack([RasterLayer(named), RasterLayer(spelt)])
    assert stack.layers[0].grid.crs != stack.layers[1].grid.crs
    assert stack.read(EVERYTHING).shape == (2, 12, 16)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the fork is the point
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_do_not_share_a_handle(tmp_path: Path, method: str) -> None:
    """Two workers would move one file position and read wrong pixels."""
    noise = np.random.default_rng(0).random((2, 240, 240), np.float32)
    path = write_tif(tmp_path / "a.tif", noise)
    stack = RasterStack([RasterLayer(path, band=band) for band in (1, 2)])
    stack.read(Window(0, 0, 240, 240))  # the parent has it open
    windows = [Window(r, c, 40, 40) for r in range(0, 200, 20) for c in range(0, 200, 20)]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(max_workers=2, mp_context=context) as pool:
        for window, read in zip(windows, pool.map(stack.read, windows), strict=True):
            rows, columns = window.slices
            np.testing.assert_array_equal(read, noise[:, rows, columns])


def test_a_handle_belongs_to_the_process_that_opened_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forked worker would use the handle of its parent."""
    layer = RasterLayer(write_tif(tmp_path / "a.tif", VALUES))
    handle = layer.file.dataset
    assert layer.file.dataset is handle
    assert pickle.loads(pickle.dumps(layer)).file._handle is None
    monkeypatch.setattr("os.getpid", lambda: -2)
    assert layer.file.dataset is not handle


def test_gdal_caches_little_unless_the_environment_sets_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each worker would fill a share of the memory with decoded blocks."""
    from rasterio._env import get_gdal_config
    from rasterio.env import getenv

    monkeypatch.delenv("GDAL_CACHEMAX", raising=False)
    with small_cache():
        assert get_gdal_config("GDAL_CACHEMAX") == CACHE_BYTES
    monkeypatch.setenv("GDAL_CACHEMAX", "512")
    with small_cache():
        assert "GDAL_CACHEMAX" not in getenv()
