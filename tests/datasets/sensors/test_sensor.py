"""Sensors: bands in the order of files, selection and normalisation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.sensors.sensor import FOLDER, Sensor
from openstl_ext.errors import DataError

NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "spectrum")
BAND = {"name": "B3", "band": "oli_green", "low": 0, "high": 2, "mean": 0.5, "std": 0.25}
MINE = {
    "about": "Landsat 8, surface reflectance",
    "bands": [BAND],
    "spectrum": {"oli_green": {"min_nm": 533, "max_nm": 590}},
}


def written(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(MINE | changes))
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_published_sensor_can_be_read(name: str) -> None:
    """A recipe that names it would not start."""
    sensor = Sensor.read(name)
    assert sensor.bands
    assert len(set(sensor.indices)) == len(sensor.indices)


def test_the_bands_follow_the_order_of_the_files() -> None:
    """EuroSAT has B8A at the end; its values would be embedded as those of B09."""
    eurosat = Sensor.read("eurosat")
    assert eurosat.in_file == (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)
    assert eurosat.indices == (0, 1, 4, 6, 7, 8, 10, 9, 12, 13, 14, 11)
    assert Sensor.read("sentinel2_l1c").indices == (0, 1, 4, 6, 7, 8, 10, 9, 11, 12, 13, 14)


def test_bands_are_selected_by_both_names_and_in_any_order() -> None:
    """A user would need the names of the spectrum for the bands of a product."""
    chosen = Sensor.read("sentinel2_l2a").select(["B08", "red_2"])
    assert chosen.in_file == (7, 3)
    assert chosen.indices == (9, 6)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["B99"], "sensor eurosat: no band 'B99'; did you mean 'B09'"),
        (["B10"], "'short_wave_infrared_2' .* has no projection"),
        ([], "name each band once"),
        (["B02", "blue_1"], "name each band once"),
    ],
)
def test_a_wrong_selection_is_refused(names: list[str], message: str) -> None:
    """Other bands than the named ones would be used."""
    with pytest.raises(DataError, match=message):
        Sensor.read("eurosat").select(names)


def test_values_are_clipped_scaled_and_standardised() -> None:
    """Features of released weights would be meaningless."""
    sensor = Sensor.read("sentinel1_grd")
    values = np.array([[[-29.5197, -3.4569, 9.0]], [[-33.4215, -21.66345, -50.0]]])
    expected = [
        [[(share - 0.649346) / 0.190305 for share in (0, 1, 1)]],
        [[(share - 0.603532) / 0.228831 for share in (0, 0.5, 0)]],
    ]
    np.testing.assert_allclose(sensor.normalise(values, "x.tif"), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("value", "message"),
    [(0.02, "x.tif: values from 0.02 to 0.02, all outside the limits"), (np.inf, "infinite")],
)
def test_values_of_another_unit_are_refused(value: float, message: str) -> None:
    """Linear backscatter in place of dB would become a constant image."""
    with pytest.raises(DataError, match=message):
        Sensor.read("sentinel1_grd").normalise(np.full((2, 4, 4), value), "x.tif")


def test_an_image_of_a_cloud_is_no_other_unit() -> None:
    """A training on series of images would end at the first cloudy day."""
    sensor = Sensor.read("sentinel2_l2a")
    cloud = sensor.normalise(np.full((12, 2, 2), 9000.0), "x.tif")
    np.testing.assert_allclose(cloud[1], (1 - 0.148206) / 0.149399, rtol=1e-5)
    with pytest.raises(DataError, match=r"x.tif: values from 90000 to 90000, all outside"):
        sensor.normalise(np.full((12, 2, 2), 90_000.0), "x.tif")


def test_shares_in_place_of_stored_numbers_are_refused() -> None:
    """The images of a user would all be black, because some pixels are within the limits."""
    rgb, sentinel = Sensor.read("rgb"), Sensor.read("sentinel2_l2a")
    shares = np.linspace(0, 1, 12).reshape(3, 2, 2)
    with pytest.raises(
        DataError, match=r"a.tif: values from 0 to 1 seem to be shares, .* rgb is for"
    ):
        rgb.normalise(shares, "a.tif")
    with pytest.raises(DataError, match=r"values from 0\.05 to 1\.2 seem to be shares"):
        sentinel.normalise(np.linspace(0.05, 1.2, 48).reshape(12, 2, 2), "snow.tif")
    np.testing.assert_allclose(
        rgb.normalise(255 * shares, "a.tif")[2, 1, 1], (1 - 0.385113) / 0.271257, rtol=1e-5
    )
    assert np.isfinite(rgb.normalise(np.round(shares), "night.jpg")).all()


def test_stored_numbers_in_place_of_reflectance_are_refused() -> None:
    """A pixel of 0 would be within the limits, and all others white."""
    stored = np.full((6, 4, 4), 900.0)
    stored[:, 0] = 0
    with pytest.raises(DataError, match="values from 0 to 900, most of them far above the limits"):
        Sensor.read("hls_s30").normalise(stored, "x.tif")
    linear = np.where(np.arange(32).reshape(2, 4, 4) % 4, 0.02, -10)
    with pytest.raises(DataError, match="most of them far above"):
        Sensor.read("sentinel1_grd").normalise(linear, "x.tif")


def test_limits_may_be_negative(tmp_path: Path) -> None:
    """All images of a thermal sensor in winter would be refused."""
    band = MINE["bands"][0] | {"low": -40.0, "high": -5.0}
    path = written(tmp_path / "frost.json", bands=[band])
    cold = Sensor.read(path).normalise(np.full((1, 1, 1), -22.5), "x.tif")
    assert cold.item() == pytest.approx((0.5 - band["mean"]) / band["std"])


def test_missing_pixels_become_the_mean() -> None:
    """One missing pixel would make all features NaN."""
    sensor = Sensor.read("sentinel1_grd")
    values = np.full((2, 1, 2), -20.0)
    values[:, 0, 0] = np.nan
    normalised = sensor.normalise(values, "x.tif")
    assert (normalised[:, 0, 0] == 0).all()
    assert (normalised[:, 0, 1] != 0).all()


def test_a_sensor_of_a_user_is_one_file(tmp_path: Path) -> None:
    """A new sensor would need a change of the program."""
    sensor = Sensor.read(written(tmp_path / "landsat8.json"))
    assert sensor.indices == (19,)
    assert sensor.normalise(np.ones((1, 1, 1)), "x.tif").item() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"bands": [BAND | {"low": "0"}]},
            r"bands\[0\] \(B3\): Expected `float`, .* - at `\$.low`",
        ),
        ({"bands": [BAND | {"low": 2}]}, r"bands\[0\] \(B3\): low is not below high"),
        ({"bands": [BAND | {"std": 0}]}, "std"),
        ({"bands": [BAND, BAND]}, "bands occur twice: B3"),
        (
            {"bands": [BAND | {"band": "oli_gren"}]},
            r"mine.json: bands\[0\] .* you mean 'oli_green'",
        ),
        ({"bands": [BAND | {"deviation": 1}]}, "unknown field `deviation`, known are: band, high"),
        ({"bands": [BAND | {"mean": 1200}]}, "mean is 1200, in units of the file"),
        ({"bands": [BAND | {"mean": -0.1}]}, ">= 0"),
        ({"bands": [BAND | {"used": False}]}, "mine.json: no band is used"),
        ({"bands": []}, "mine.json: .* length >= 1"),
        ({"spectrum": {"oli_green": {"min_nm": 533, "max": 590}}}, "unknown field `max`"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """A number written as text, as PyYAML reads 5.5e7, would be compared as text."""
    with pytest.raises(DataError, match=message):
        Sensor.read(written(tmp_path / "mine.json", **changes))


def test_an_unknown_sensor_is_named_with_the_nearest() -> None:
    """A user would look for the names in the sources."""
    with pytest.raises(DataError, match="did you mean 'sentinel2_l2a' or 'sentinel2_l1c'"):
        Sensor.read("sentinel2_l2")
