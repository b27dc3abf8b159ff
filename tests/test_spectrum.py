"""The spectrum: published ranges, indices and interpolation."""

from typing import Any

import numpy as np
import pytest

from openstl_ext.errors import DataError
from openstl_ext.spectrum import Band, Spectrum, bands_of

LANDSAT_GREEN = Band(min_nm=533, max_nm=590, label="B3 (green)")


def spectrum(**bands: Band) -> Spectrum:
    return Spectrum(bands)


def test_the_published_spectrum_has_the_indices_of_the_released_weights() -> None:
    """Each band would be embedded by the weights of another."""
    published = Spectrum.read()
    assert len(published.bands) == 20
    assert len(published.learned) == 17
    assert published.interpolated == ("thermal_infrared_1", "blue_2")
    expected = {"aerosol": 0, "green_2": 4, "near_infrared_2": 10, "microwave_2": 16, "blue_2": 18}
    assert {name: published.index(name) for name in expected} == expected


def test_the_nearer_band_has_the_larger_weight() -> None:
    """The published code gives it to the farther band; both are available by name."""
    published = Spectrum.read()
    linear, inverted = published.mixing(), published.mixing("inverted")
    thermal, blue = range(2)
    aerosol, blue_1, swir, vv = (
        published.index(n) for n in ("aerosol", "blue_1", "short_wave_infrared_4", "microwave_1")
    )
    np.testing.assert_allclose(linear[blue, [aerosol, blue_1]], [10.5 / 50, 39.5 / 50])
    np.testing.assert_allclose(inverted[blue, [aerosol, blue_1]], [39.5 / 50, 10.5 / 50])
    np.testing.assert_allclose(linear[thermal, [swir, vv]], [0.999843, 0.000157], atol=1e-6)
    np.testing.assert_allclose(inverted.sum(1), 1)
    assert (np.count_nonzero(linear, axis=1) == 2).all()


def test_a_new_range_is_interpolated_from_its_neighbours() -> None:
    """A sensor that was not in the pre-training could not be used."""
    extended = Spectrum.read().extended({"oli_green": LANDSAT_GREEN}, "mine.json")
    assert extended.index("oli_green") == 19
    assert extended.bands["oli_green"].interpolated_from == ("green_2", "red_1")
    share = extended.mixing()[2]
    assert share[extended.index("green_2")] == pytest.approx((650 - 561.5) / (650 - 559.5))
    assert Spectrum.read().index("blue_2") == extended.index("blue_2")


def test_beyond_the_ends_the_two_nearest_are_taken() -> None:
    """A thermal band would be a mixture with radar."""
    new = {"tir": Band(min_nm=11_500, max_nm=12_510)}
    extended = Spectrum.read().extended(new, "mine.json")
    nearest = ("short_wave_infrared_4", "short_wave_infrared_3")
    assert extended.bands["tir"].interpolated_from == nearest


def test_bands_of_two_polarisations_are_two_bands() -> None:
    """Two bands of one range would share their weights, or a radar band would become optical."""
    published = Spectrum.read()
    assert published.bands["microwave_1"].min_nm == published.bands["microwave_2"].min_nm
    assert published.index("microwave_1") != published.index("microwave_2")
    hh = {"hh": Band(min_nm=5.5e7, max_nm=5.6e7, polarisation="HH")}
    with pytest.raises(DataError, match=r"mine.json: hh: two learned HH-polarised .* has 0"):
        published.extended(hh, "mine.json")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("red_9", "no band 'red_9'; did you mean 'red_2' or 'red_1'"),
        ("short_wave_infrared_2", "has no projection; leave it out"),
    ],
)
def test_a_band_without_projection_is_refused(name: str, message: str) -> None:
    """The published code would use the weights of the last band."""
    with pytest.raises(DataError, match=message):
        Spectrum.read().index(name)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"red_1": Band(min_nm=600, max_nm=610)}, "'red_1' is a band of 590-710 nm"),
        ({"x": Band(min_nm=600, max_nm=610, index=3)}, "x: remove index"),
        (
            {"x": Band(min_nm=600, max_nm=610, interpolated_from=("red_1", "blue_2"))},
            "mine.json: x is interpolated from 'blue_2', which is no band with learned weights",
        ),
    ],
)
def test_a_mistake_in_new_bands_is_named(new: dict[str, Band], message: str) -> None:
    """A wrong table would give wrong weights without a word."""
    with pytest.raises(DataError, match=message):
        Spectrum.read().extended(new, "mine.json")


@pytest.mark.parametrize(
    ("range_", "message"),
    [
        ({"min_nm": 610, "max_nm": 600}, "mine.json: x: min_nm 610 is not below max_nm 600"),
        ({"min_nm": "600", "max_nm": 610}, "mine.json: x: Expected `float`, got `str`"),
        ({"min_nm": 0.6, "max_nm": 0.61}, "mine.json: x: min_nm is 0.6; .* nanometres"),
        ({"min_nm": 600, "max": 610}, "unknown field `max`, did you mean 'max_nm'"),
    ],
)
def test_a_wrong_range_is_named(range_: dict[str, Any], message: str) -> None:
    """A range in micrometres would be interpolated from the wrong bands."""
    with pytest.raises(DataError, match=message):
        bands_of({"x": range_}, "mine.json")
    with pytest.raises(DataError, match=message.replace("mine.json", "spectrum")):
        Spectrum.of({"x": range_})


def test_indices_without_gaps_are_needed() -> None:
    """A gap would shift the weights of all later bands."""
    bands = {"a": Band(min_nm=400, max_nm=500, index=0), "b": Band(min_nm=500, max_nm=600, index=2)}
    with pytest.raises(DataError, match=r"are \[0, 2\]"):
        spectrum(**bands)
