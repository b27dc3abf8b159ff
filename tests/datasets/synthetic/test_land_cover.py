"""Synthetic land cover seen by sensors."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic import land_cover
from openstl_ext.datasets.synthetic.land_cover import (
    CLASSES,
    MATERIALS,
    draw_scene,
    observed,
    response,
    standardised,
)
from openstl_ext.datasets.synthetic.sensor_scenes import (
    SceneSize,
    View,
    write_classes,
    write_pairs,
    write_sensor,
)
from openstl_ext.errors import ConfigError
from openstl_ext.spectrum import Band, Spectrum

TWINS = [
    ("cropland", "grassland"),
    ("desert", "dunes"),
    ("forest", "orchard"),
    ("town", "industry"),
]
SMALL = SceneSize(side=160)


def image(name: str, number: int, sensor: Sensor, pixel_size: float = 10) -> np.ndarray:
    rng = np.random.default_rng([number, *name.encode()])
    scene = draw_scene(rng, name, side=640, cell=10)
    values = observed(scene, sensor, pixel_size, rng)[list(sensor.in_file)]
    return sensor.normalise(values, name)


def test_a_band_averages_the_spectrum_over_its_range() -> None:
    """A sensor with other bands would see another world."""
    water = list(MATERIALS).index("water")
    narrow = response(Band(min_nm=449.9, max_nm=450.1))
    assert narrow[water] == pytest.approx(6, abs=0.01)
    wide = response(Band(min_nm=500, max_nm=600))  # 5, 5, 3 percent at 500, 550, 600 nm
    assert wide[water] == pytest.approx((5 + (5 + 3) / 2) / 2, abs=0.02)
    bands = Spectrum.read().bands
    assert response(bands["microwave_1"])[water] == -18
    assert response(bands["microwave_2"])[water] == -28
    assert response(bands["thermal_infrared_1"])[water] == 288


@pytest.mark.parametrize("name", ["rgb", "sentinel2_l1c", "sentinel1_grd"])
def test_values_are_in_the_units_of_the_table(name: str) -> None:
    """Everything would be clipped, and no image would differ from another."""
    sensor = Sensor.read(name)
    everything = np.stack([image(kind, k, sensor) for kind in CLASSES for k in range(8)])
    assert abs(everything.mean()) < 0.25  # each image has a brightness of its own
    assert 0.7 < everything.std(axis=(0, 2, 3)).mean() < 1.4
    limits = [(0 - band.mean) / band.std for band in sensor.bands]
    clipped = (everything <= np.array(limits).reshape(-1, 1, 1) + 1e-4).mean()
    assert clipped < 0.1


@pytest.mark.parametrize(("one", "other"), TWINS)
def test_twin_classes_have_the_same_mean_in_every_band(
    monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    """Mean band values would tell all classes apart, and a net would have nothing to add."""
    monkeypatch.setattr(land_cover, "ILLUMINATION", 0)
    kinds = CLASSES[one], CLASSES[other]
    assert {kinds[0].first, kinds[0].second} == {kinds[1].first, kinds[1].second}
    sensor = Sensor.read("sentinel2_l2a")
    means = np.array(
        [[image(kind, k, sensor).mean(axis=(1, 2)) for k in range(12)] for kind in (one, other)]
    )
    gap = np.abs(means[0].mean(axis=0) - means[1].mean(axis=0))
    assert (gap < 3 * means.std(axis=1).max(axis=0) / np.sqrt(12 / 2)).all()


def test_mean_band_values_tell_the_materials_apart_but_not_the_twins() -> None:
    """The demonstration would be trivial, or impossible."""
    sensor = Sensor.read("sentinel2_l2a")
    values = np.array([[image(n, k, sensor).mean(axis=(1, 2)) for k in range(12)] for n in CLASSES])
    centres = values[:, :6].mean(axis=1)
    away = np.linalg.norm(values[:, 6:, None] - centres, axis=-1)
    right = away.argmin(axis=-1) == np.arange(len(CLASSES))[:, None]
    assert 0.4 < right.mean() < 0.72


def test_twin_classes_differ_in_arrangement() -> None:
    """No net could tell them apart."""
    sensor = Sensor.read("sentinel2_l2a").select(["B08"])

    def structure(name: str) -> float:
        """Share of the variance below 130 m in the strongest spatial frequency."""
        shares, cycles = [], np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64)) * 64
        for k in range(6):
            power = np.abs(np.fft.rfft2(image(name, k, sensor)[0])) ** 2
            power[cycles < 5] = 0
            shares.append(power.max() / power.sum())
        return float(np.mean(shares))

    for rows, patches in (("cropland", "grassland"), ("dunes", "desert"), ("orchard", "forest")):
        assert structure(rows) > 2 * structure(patches)


def test_sensors_see_the_same_land_at_their_own_size_of_pixels() -> None:
    """A pair would not be of one place."""
    rng = np.random.default_rng(0)
    scene = draw_scene(rng, "town", side=320, cell=5)
    optical, coarse = Sensor.read("sentinel2_l2a"), Sensor.read("sentinel2_l1c")
    fine = observed(scene, optical, 5, rng)[7]
    wide = observed(scene, coarse, 20, rng)[7]
    assert (fine.shape, wide.shape) == ((64, 64), (16, 16))
    mean = fine.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert np.corrcoef(mean.ravel(), wide.ravel())[0, 1] > 0.7  # the noise is not shared
    with pytest.raises(ConfigError, match="pixels of 12 m do not divide a scene of 320 m"):
        observed(scene, optical, 12, rng)


def test_the_response_is_standardised_over_all_classes() -> None:
    """One band would dominate the others."""
    sensor = Sensor.read("sentinel2_l1c")
    values = standardised(sensor)
    assert values.shape == (13, len(MATERIALS))
    area = np.array(
        [sum((k.first == m) + (k.second == m) for k in CLASSES.values()) for m in MATERIALS]
    )
    np.testing.assert_allclose(values @ area / area.sum(), 0, atol=1e-9)
    np.testing.assert_allclose(values**2 @ area / area.sum(), 1)


def test_the_main_class_covers_most_of_a_scene() -> None:
    """The label of a scene would be wrong."""
    for name in CLASSES:
        scene = draw_scene(np.random.default_rng(1), name, side=640, cell=10)
        share = (scene.labels == list(CLASSES).index(name)).mean()
        assert 0.6 < share < 0.97
        assert (scene.cover.sum(axis=0) == 1).all()


def test_pairs_are_georeferenced_listed_and_repeatable(tmp_path: Path) -> None:
    """A reader would refuse them, or two runs would differ in their data."""
    rasterio = pytest.importorskip("rasterio")
    views = View("sentinel2_l2a", 20), View("sentinel1_grd", 10)
    for folder, count in (("a", 2), ("b", 1)):
        write_pairs(tmp_path / folder, views, {"train": count, "val": 1}, size=SMALL)
    lines = (tmp_path / "a/train.txt").read_text().splitlines()
    assert lines[0].split() == [
        "sentinel2_l2a/train_0000.tif",
        "sentinel1_grd/train_0000.tif",
    ]
    assert len(lines) == 2
    bounds = []
    for name in lines[0].split():
        with rasterio.open(tmp_path / "a" / name) as one, rasterio.open(tmp_path / "b" / name) as b:
            assert np.array_equal(one.read(), b.read())
            assert one.crs == rasterio.crs.CRS.from_epsg(32633)
            bounds.append(one.bounds)
    assert bounds[0] == bounds[1]


def test_a_new_sensor_gets_scenes_in_folders_by_class(tmp_path: Path) -> None:
    """The features of a sensor that was not seen in training could not be evaluated."""
    pytest.importorskip("rasterio")
    write_sensor(tmp_path / "pelican.json")
    sensor = Sensor.read(tmp_path / "pelican.json")
    assert sensor.indices == (19, 20, 21, 22, 23)
    view = View(str(tmp_path / "pelican.json"), 20)
    write_classes(tmp_path / "scenes", view, {"train": 12, "test": 3}, size=SMALL)
    train, test = ((tmp_path / f"scenes/{s}.txt").read_text().split() for s in ("train", "test"))
    assert (len(train), len(test), len({*train, *test})) == (12, 3, 15)
    assert train[0] == "cropland/cropland_0000.tif"
    assert {Path(p).parent.name for p in train} == set(CLASSES)
    assert all((tmp_path / "scenes" / path).is_file() for path in (*train, *test))
