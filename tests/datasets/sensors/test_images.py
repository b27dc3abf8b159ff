"""Images of sensors: read, resized and put together."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openstl_ext.datasets.sensors.images import as_inputs, read_image, read_picture, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import DataError
from openstl_ext.spectrum import ABSENT


def test_a_picture_is_read_in_the_order_of_the_sensor(tmp_path: Path) -> None:
    """Red would be embedded as blue."""
    values = np.zeros((4, 5, 3), np.uint8)
    values[..., 0], values[..., 2] = 200, 50
    Image.fromarray(values).save(tmp_path / "a.png")
    blue_and_red = Sensor.read("rgb").select(["blue_3", "red_1"])
    image = read_image(tmp_path / "a.png", blue_and_red)
    assert image.shape == (2, 4, 5)
    assert (image[:, 0, 0] == [50, 200]).all()


def test_the_bands_of_a_raster_follow_the_table(tmp_path: Path) -> None:
    """The water vapour band of EuroSAT would be taken for B8A."""
    rasterio = pytest.importorskip("rasterio")
    form = {"driver": "GTiff", "dtype": "uint16", "width": 4, "height": 4, "count": 13}
    form |= {"crs": "EPSG:32635", "transform": rasterio.Affine(10, 0, 0, 0, -10, 0)}
    with rasterio.open(tmp_path / "a.tif", "w", **form) as raster:
        for band in range(13):
            raster.write(np.full((4, 4), 100 * band, np.uint16), band + 1)
    image = read_image(tmp_path / "a.tif", Sensor.read("eurosat").select(["B8A", "B02"]))
    assert (image[:, 0, 0] == [1200, 100]).all()
    with pytest.raises(DataError, match="has 13 bands, but the sensor sentinel1_grd has 2: VV, VH"):
        read_image(tmp_path / "a.tif", Sensor.read("sentinel1_grd"))


def write(path: Path, values: np.ndarray, kinds: str = "", names: tuple[str, ...] = ()) -> Path:
    """Write a GeoTIFF; ``kinds`` are the interpretations of its bands, a for alpha."""
    rasterio = pytest.importorskip("rasterio")
    form = {"driver": "GTiff", "dtype": values.dtype, "crs": "EPSG:32635"}
    form |= dict(zip(("count", "height", "width"), values.shape, strict=True))
    transform = rasterio.Affine(10, 0, 0, 0, -10, 0)
    with rasterio.open(path, "w", transform=transform, photometric="MINISBLACK", **form) as raster:
        if kinds:
            known = {"a": rasterio.enums.ColorInterp.alpha, "g": rasterio.enums.ColorInterp.gray}
            raster.colorinterp = [known[kind] for kind in kinds]
        raster.write(values)
        if names:
            raster.descriptions = names
    return path


def test_an_alpha_band_beyond_those_of_the_sensor_hides_pixels(tmp_path: Path) -> None:
    """Pixels outside of a cut image would be values."""
    values = np.full((4, 2, 2), 100, np.uint8)
    values[3, 0, 0] = 0
    found = read_image(write(tmp_path / "a.tif", values, "ggga"), Sensor.read("rgb"))
    assert found.shape == (3, 2, 2)
    assert (np.isnan(found) == (values[3] == 0)).all()
    with pytest.raises(DataError, match=r"b.tif: has 4 bands, but the sensor rgb has 3"):
        read_image(write(tmp_path / "b.tif", values, "gggg"), Sensor.read("rgb"))


def test_a_band_of_the_sensor_that_is_marked_as_alpha_has_values(tmp_path: Path) -> None:
    """GDAL marks the fourth of four bands of bytes so; dark near infrared would hide red."""
    values = np.full((4, 2, 2), 100, np.uint8)
    values[3, 0, 0] = 0
    found = read_image(write(tmp_path / "a.tif", values, "ggga"), Sensor.read("planet_fusion"))
    np.testing.assert_array_equal(found, values)


def test_bands_in_another_order_by_their_descriptions_are_refused(tmp_path: Path) -> None:
    """Red would be trained as blue; Sentinel-1 files are written as VH, VV too."""
    path = write(tmp_path / "a.tif", np.zeros((2, 2, 2), np.float32), names=("VH", "VV"))
    message = "a.tif: the description of band 2 is 'VV', but VV is band 1 of VV, VH; write the"
    with pytest.raises(DataError, match=message):
        read_image(path, Sensor.read("sentinel1_grd"))


def test_transparent_pixels_of_a_picture_are_missing(tmp_path: Path) -> None:
    """The margin of a turned picture would be black ground."""
    values = np.full((2, 2, 4), 255, np.uint8)
    values[0, 0, 3] = 0
    Image.fromarray(values).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png", Sensor.read("rgb"))
    assert (np.isnan(found) == (values[..., 3] == 0)).all()


def test_a_damaged_or_missing_picture_is_named(tmp_path: Path) -> None:
    """A traceback of the library would not name the file."""
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    for name, message in (("a.jpg", "cannot be read"), ("b.jpg", "there is no such image")):
        with pytest.raises(DataError, match=f"{name}: {message}"):
            read_image(tmp_path / name, Sensor.read("rgb"))


def test_a_picture_of_more_than_eight_bits_is_refused(tmp_path: Path) -> None:
    """Pillow would keep the upper half of each number without a word."""
    values = np.full((4, 4), 4000, np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values.astype(np.float32)).save(tmp_path / "b.tif")
    write_raster(tmp_path / "c.tif", np.stack([values] * 3), photometric="RGB", interleave="pixel")
    for name in ("a.png", "b.tif", "c.tif"):
        with pytest.raises(DataError, match=f"{name}: has values of more than 8 bits"):
            read_picture(tmp_path / name, Sensor.read("rgb"))


def test_resampling_keeps_a_constant_and_the_range_of_values() -> None:
    """The library would scale integers to [0, 1]."""
    image = np.full((2, 6, 9), 1234.0, np.float32)
    for size, shape in ((12, (2, 12, 12)), ((3, 4), (2, 3, 4))):
        assert resized(image, size).shape == shape
        np.testing.assert_allclose(resized(image, size), 1234, rtol=1e-6)


def test_images_of_several_sensors_have_absent_bands() -> None:
    """Sentinel-1 and Sentinel-2 could not be in one sample."""
    inputs = as_inputs([(np.ones((3, 4, 4)), (4, 5, 6)), (2 * np.ones((1, 4, 4)), (15,))])
    assert inputs["frames"].shape == (2, 3, 4, 4)
    assert inputs["bands"].tolist() == [[4, 5, 6], [15, ABSENT, ABSENT]]
    assert inputs["frames"][1].amax(dim=(1, 2)).tolist() == [2, 0, 0]
