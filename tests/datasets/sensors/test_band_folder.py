"""Images that are folders with a GeoTIFF for each band."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.sensors.band_folder import band_file, read_band_folder
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError

rasterio = pytest.importorskip("rasterio")
SIZES = {"B01": 2, "B05": 6, "B09": 2, "B02": 12}
"""Pixels of bands of 60, 20, 60 and 10 m."""


def write_band(path: Path, values: np.ndarray, **changes: object) -> None:
    """Write a raster of a footprint of 120 m."""
    values = np.atleast_3d(values.T).T
    pixel = 120 / values.shape[-1]
    form = {"driver": "GTiff", "dtype": values.dtype, "count": len(values)}
    form |= {"height": values.shape[1], "width": values.shape[2], "crs": "EPSG:32633"}
    form |= {"transform": rasterio.Affine(pixel, 0, 500000, 0, -pixel, 5200000)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", **{**form, **changes}) as raster:
        raster.write(values)


def patch(folder: Path) -> Path:
    """Write a patch whose bands have the values 1, 2, 3 ... in the order of the table."""
    for number, band in enumerate(Sensor.read("sentinel2_l2a").all_bands, start=1):
        size = SIZES.get(band.name, 12)
        values = np.full((size, size), 100 * number, np.uint16)
        write_band(band_file(folder, band.name), values)
    return folder


def test_bands_are_merged_in_the_order_of_the_table(tmp_path: Path) -> None:
    """Sorted by name, B8A would follow B12, and VH would be taken for VV."""
    folder = patch(tmp_path / "S2A_MSIL2A_20170613T101031_0_45")
    image = read_band_folder(folder, Sensor.read("sentinel2_l2a"))
    assert (image.shape, image.dtype) == ((12, 12, 12), np.float32)
    expected = 100 * np.arange(1, 13).reshape(-1, 1, 1)
    np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), rtol=1e-6)
    some = read_band_folder(folder, Sensor.read("sentinel2_l2a").select(["B09", "B01"]))
    assert (some.shape, some[:, 0, 0].tolist()) == ((2, 2, 2), [1000, 100])


def test_coarse_bands_are_resampled_bilinearly(tmp_path: Path) -> None:
    """Features at the edge of coarse pixels would appear, or values would be shifted."""
    folder = patch(tmp_path / "patch")
    write_band(band_file(folder, "B01"), np.array([[0, 600], [0, 600]], np.uint16))
    sensor = Sensor.read("sentinel2_l2a").select(["B02", "B01"])
    image = read_band_folder(folder, sensor)
    # centres of the coarse pixels are at 2.5 and 8.5 in fine ones
    between = 100 * (np.arange(3, 9) - 2.5)
    np.testing.assert_allclose(image[1, 5, 3:9], between, rtol=1e-5)
    np.testing.assert_allclose(image[1, 5, [0, 11]], [0, 600], atol=1e-3)


def test_radar_keeps_the_fractions_of_decibels(tmp_path: Path) -> None:
    """Read as integers, the image would have a few grey values."""
    folder = tmp_path / "S1A"
    for number, name in enumerate(("VV", "VH")):
        write_band(band_file(folder, name), np.full((4, 4), -10.25 - number, np.float32))
    image = read_band_folder(folder, Sensor.read("sentinel1_grd"))
    assert image[:, 0, 0].tolist() == [-10.25, -11.25]


def test_a_missing_pixel_stays_one_coarse_pixel(tmp_path: Path) -> None:
    """Resampling would spread it over the whole band."""
    folder = patch(tmp_path / "patch")
    write_band(band_file(folder, "B05"), np.arange(36, dtype=np.uint16).reshape(6, 6), nodata=14)
    sensor = Sensor.read("sentinel2_l2a").select(["B02", "B05"])
    missing = np.isnan(read_band_folder(folder, sensor))
    assert not missing[0].any()
    assert np.argwhere(missing[1]).tolist() == [[4, 4], [4, 5], [5, 4], [5, 5]]


def test_a_missing_file_or_another_number_of_bands_is_named(tmp_path: Path) -> None:
    """A traceback of the library would not name the band."""
    folder = patch(tmp_path / "patch")
    write_band(band_file(folder, "B03"), np.ones((2, 4, 4), np.uint16))
    with pytest.raises(DataError, match=r"patch_B03.tif: has 2 bands, expected the one"):
        read_band_folder(folder, Sensor.read("sentinel2_l2a"))
    band_file(folder, "B03").unlink()
    with pytest.raises(DataError, match=r"patch_B03.tif is not a raster .*No such file"):
        read_band_folder(folder, Sensor.read("sentinel2_l2a"))
