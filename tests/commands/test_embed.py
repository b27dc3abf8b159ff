"""The command embed: maps of features, and tables."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

import openstl_ext
from openstl_ext import cli
from openstl_ext.commands import embed as command
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import ConfigError, DataError, UserError
from openstl_ext.prediction.feature_files import map_overview
from openstl_ext.visualization import embedding_map
from tests.prediction.small_encoder import SENSOR, reflectance, save_checkpoint, write_scene
from tests.rasters.files import NORTH_UP, write_tif


@pytest.fixture
def weights(tmp_path: Path) -> str:
    return str(save_checkpoint(tmp_path / "ours.pth"))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Write a scene with a corner without data."""
    values = reflectance(32, 45)
    values[:, :16, :20] = 0
    return write_tif(tmp_path / "scene.tif", values, nodata=0)


def embed(weights: str, *options: object) -> None:
    cli.call(["embed", weights, "--sensor", SENSOR, *map(str, options)])


def test_a_map_has_one_pixel_a_patch_at_the_place_of_the_raster(
    weights: str, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Features would be drawn at another place than the raster, or hide missing data."""
    embed(weights, "--input", scene, "--out", tmp_path / "features.tif")
    assert "16 features of 8 x 12 patches of 4 pixels" in capsys.readouterr().out
    with rasterio.open(tmp_path / "features.tif") as file:
        assert file.crs.to_epsg() == 4326
        a, b, c, d, e, f = NORTH_UP
        assert tuple(file.transform[:6]) == (4 * a, b, c, d, 4 * e, f)
        assert np.isnan(file.nodata)
        found = file.read()
        assert file.descriptions[0] == "feature 0"
    expected = openstl_ext.load_encoder(weights).features(scene, SENSOR)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.isnan(found[:, :4, :5]).all()


def test_components_are_those_of_all_features(weights: str, scene: Path, tmp_path: Path) -> None:
    """The colours of a map would show directions in which features hardly differ."""
    embed(weights, "--input", scene, "--out", tmp_path / "pca.tif", "--components", 3)
    with rasterio.open(tmp_path / "pca.tif") as file:
        found, names = file.read(), file.descriptions
    features = openstl_ext.load_encoder(weights).features(scene, SENSOR)
    known = np.isfinite(features[0])
    values = features[:, known].T.astype(np.float64)
    values -= values.mean(axis=0)
    _, sizes, directions = np.linalg.svd(values, full_matrices=False)
    np.testing.assert_allclose(
        np.abs(found[:, known].T), np.abs(values @ directions[:3].T), rtol=0, atol=1e-4
    )
    assert names[0] == f"component 1, {sizes[0] ** 2 / (sizes**2).sum():.1%} of variance"
    assert (np.isnan(found[0]) == ~known).all()
    _, shares = map_overview(tmp_path / "pca.tif", 100)
    np.testing.assert_allclose(shares, sizes[:3] ** 2 / (sizes**2).sum(), rtol=1e-3)


def test_the_picture_of_a_map_shows_it_at_any_size(
    weights: str, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A raster of a whole country would not fit into memory, or be drawn shifted."""
    drawn: list[tuple[np.ndarray, np.ndarray]] = []
    draw = embedding_map.draw_embedding

    def spy(image: np.ndarray, features: np.ndarray, **options: Any) -> object:
        drawn.append((image, features))
        return draw(image, features, **options)

    monkeypatch.setattr(embedding_map, "draw_embedding", spy)
    for image, features in ((840, 192), (16, 6)):
        monkeypatch.setattr(command, "IMAGE", image)
        monkeypatch.setattr(command, "FEATURES", features)
        out = tmp_path / f"{image}.png"
        embed(weights, "--input", scene, "--out", tmp_path / "map.tif", "--picture", out)
        assert out.read_bytes().startswith(b"\x89PNG")
    (whole, all_features), (image, features) = drawn
    assert (whole.shape, all_features.shape) == ((32, 48, 3), (8, 12, 16))
    assert np.isnan(whole[:16, :20]).all()
    assert np.isfinite(whole[16:, :45]).all()
    np.testing.assert_allclose(image, whole[::3, ::3], rtol=0, atol=0.05)  # another stretch
    assert features.shape == (4, 6, 16)


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_a_table_has_one_row_an_image(suffix: str, weights: str, tmp_path: Path) -> None:
    """Embeddings would belong to other images."""
    folder = tmp_path / "images"
    (folder / "forest").mkdir(parents=True)
    paths = [write_scene(folder / name, 16, 20 + k) for k, name in enumerate(("b.tif", "a.tif"))]
    paths.append(write_scene(folder / "forest" / "c.tif", 24, 24))
    (folder / "notes.txt").write_text("no image")
    out = tmp_path / f"table{suffix}"
    embed(weights, "--input", folder, "--out", out, "--batch-size", 2)
    expected = openstl_ext.load_encoder(weights).embeddings([paths[1], paths[0], paths[2]], SENSOR)
    if suffix == ".npz":
        with np.load(out) as table:
            names, found = table["name"].tolist(), table["features"]
    else:
        header, *rows = csv.reader(out.read_text().splitlines())
        assert header[:2] == ["name", "feature_0"]
        names, found = [row[0] for row in rows], np.array([row[1:] for row in rows], np.float32)
    assert names == ["a.tif", "b.tif", "forest/c.tif"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_a_folder_with_a_file_for_each_band_is_one_image(weights: str, tmp_path: Path) -> None:
    """Each band would be an image of its own, or bands would be exchanged."""
    values = reflectance(16, 16)
    for place in ("s2/one", "s2/sub/two"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        for band, plane in zip(Sensor.read(SENSOR).bands, values, strict=True):
            write_tif(folder / f"{folder.name}_{band.name}.tif", plane[None])
    out = tmp_path / "table.npz"
    embed(weights, "--input", tmp_path / "s2", "--band-folders", "--out", out)
    image = write_tif(tmp_path / "image.tif", values)
    expected = openstl_ext.load_encoder(weights).embeddings([image], SENSOR)
    with np.load(out) as table:
        assert table["name"].tolist() == ["one", "sub/two"]
        np.testing.assert_allclose(table["features"], expected.repeat(2, 0), rtol=0, atol=1e-5)


def test_amp_computes_in_bfloat16(weights: str, scene: Path, tmp_path: Path) -> None:
    """The option would have no effect, or change the features beyond its rounding."""
    exact = openstl_ext.load_encoder(weights).features(scene, SENSOR)
    embed(weights, "--input", scene, "--out", tmp_path / "half.tif", "--amp")
    with rasterio.open(tmp_path / "half.tif") as file:
        found = file.read()
    largest = np.nanmax(np.abs(found - exact)) / np.nanmax(np.abs(exact))
    assert 1e-4 < largest < 0.03


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("--input {scene} --out x.png", ConfigError, r"must end with \.tif or"),
        ("--input {scene} {scene} --out x.tif", ConfigError, "map of one raster, but --input has"),
        ("--input {scene} --out x.csv --components 3", ConfigError, "--components is for a map"),
        ("--input {scene} --out x.tif --components 17", ConfigError, "--components is 17; use 1"),
        ("--input {folder} --out x.csv", DataError, "has no GeoTIFF and no picture"),
        ("--input nowhere.tif --out x.tif", DataError, "nowhere.tif is not a raster"),
        ("--input {scene} --out x.tif --bands B02", DataError, "scene.tif: has 12 bands, but"),
        ("--input {scene} --out x.tif --tile 10", ConfigError, "no multiple of the patch"),
        ("--input {scene} --out x.tif --batch-size 0", ConfigError, "must be at least 1"),
        ("--input {scene} --out {scene}", ConfigError, "same file as the input"),
        ("--input {scene} --out x.tif --sensor sentinel1_grd", DataError, "VV, VH"),
        ("--input {scene} --out x.csv --band-folders", DataError, "--band-folders takes folders"),
        ("--input {scene} --out x.tif --band-folders", ConfigError, "is for a table"),
        ("--input {scene} --out x.tif --num-heads 3", UserError, "must divide the width"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_one_sentence_with_status_2(
    options: str,
    error: type[UserError],
    message: str,
    weights: str,
    scene: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A user would see a traceback, or a file of features that mean nothing."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    words = options.format(scene=scene, folder=tmp_path / "empty").split()
    with pytest.raises(error, match=message) as caught:
        embed(weights, *words)
    assert caught.value.status == 2
    assert not list(tmp_path.glob("x.*"))
