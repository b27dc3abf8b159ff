"""Features of images in units of their files, by the encoder of any checkpoint."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import openstl_ext
from openstl_ext import interop
from openstl_ext.datasets.sensors.images import read_image, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import CheckpointError, ConfigError, DataError, UserError
from openstl_ext.interop.export import export
from openstl_ext.prediction.features import FeatureExtractor
from tests.prediction.small_encoder import (
    ENCODER,
    SENSOR,
    built,
    pretraining,
    reflectance,
    save_checkpoint,
    write_scene,
)
from tests.rasters.files import write_tif

VECTOR = {"type": "SpectralViT", **ENCODER}
TASK = {"type": "Classification", "net": VECTOR, "num_classes": 3, "loss": {"type": "CrossEntropy"}}
SEGMENTER = {"type": "SpectralSegmenter", "encoder": ENCODER, "num_classes": 3}
DENSE = {"type": "Segmentation", "net": SEGMENTER, "loss": {"type": "CrossEntropyDice"}}


@pytest.fixture(scope="module")
def encoder() -> FeatureExtractor:
    return FeatureExtractor(built(TASK).get_submodule("net"), device="cpu")


def patch_features(encoder: FeatureExtractor, values: np.ndarray) -> np.ndarray:
    """Return the features of an image as a dataset prepares it."""
    sensor = Sensor.read(SENSOR)
    image = torch.from_numpy(sensor.normalise(values, "image"))[None]
    with torch.no_grad():
        return encoder.net.patch_features(image, torch.tensor(sensor.indices)[None])[0].numpy()


def test_a_raster_of_one_tile_has_the_features_of_the_net(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """A user would get other features than those of the training."""
    found = encoder.features(write_scene(tmp_path / "a.tif"), SENSOR)
    expected = patch_features(encoder, reflectance(16, 16))
    assert found.shape == (16, 4, 4)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_tiles_without_overlap_have_the_features_of_the_net(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """The features of a large raster would be at other places."""
    found = encoder.features(write_scene(tmp_path / "a.tif", 32, 48), SENSOR, overlap=0)
    assert found.shape == (16, 8, 12)
    values = reflectance(32, 48)
    for row, column in ((0, 0), (4, 8)):
        tile = values[:, 4 * row : 4 * row + 16, 4 * column : 4 * column + 16]
        part = found[:, row : row + 4, column : column + 4]
        np.testing.assert_allclose(part, patch_features(encoder, tile), rtol=0, atol=1e-5)


def test_overlapping_tiles_and_batches_change_the_edges_of_tiles_only_a_little(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """Seams, or an effect of the batch size, would be features of the method and not the scene."""
    path = write_scene(tmp_path / "a.tif", 30, 45)
    found = encoder.features(path, SENSOR, batch_size=1)
    assert found.shape == (16, 8, 12)  # patches at the edge extend beyond the raster
    assert np.isfinite(found).all()
    again = encoder.features(path, SENSOR, batch_size=5)
    np.testing.assert_allclose(found, again, rtol=0, atol=1e-5)


def test_a_patch_without_data_has_no_feature(encoder: FeatureExtractor, tmp_path: Path) -> None:
    """Missing data would look like a place with average values."""
    values = reflectance(16, 32)
    values[:, :8, 20:] = 0
    values[:, 8:9, 4:8] = 0  # a part of a patch
    found = encoder.features(write_tif(tmp_path / "a.tif", values, nodata=0), SENSOR)
    expected = np.zeros((4, 8), bool)
    expected[:2, 5:] = True
    assert (np.isnan(found) == expected).all()


def test_an_image_is_resampled_to_the_size_of_the_pretraining(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """Embeddings would differ from those of a dataset, which resamples in the same way."""
    paths = [write_scene(tmp_path / f"{k}.tif", 16 + k, 20) for k in range(3)]
    found = encoder.embeddings(paths, SENSOR, batch_size=2)
    sensor = Sensor.read(SENSOR)
    values = resized(sensor.normalise(read_image(paths[2], sensor), "image"), 16)
    bands = torch.tensor(sensor.indices)[None, None]
    with torch.no_grad():
        expected = encoder.net(torch.from_numpy(values)[None, None], bands)
    assert found.shape == (3, 16)
    np.testing.assert_allclose(found[2], expected[0].numpy(), rtol=0, atol=1e-5)


def test_bands_are_found_by_their_names(encoder: FeatureExtractor, tmp_path: Path) -> None:
    """The bands of a product in another order would be embedded as each other."""
    names = [band.name for band in Sensor.read(SENSOR).bands]
    values = reflectance(16, 16)
    plain = encoder.features(write_tif(tmp_path / "a.tif", values), SENSOR)
    turned = tuple(reversed(names))
    path = write_tif(tmp_path / "b.tif", values[::-1].copy(), descriptions=turned)
    for bands in (None, turned):
        np.testing.assert_allclose(
            encoder.features(path, SENSOR, bands=bands), plain, rtol=0, atol=1e-5
        )
    few = write_tif(tmp_path / "c.tif", values[1:4], descriptions=("x", "y", "z"))
    named = write_tif(tmp_path / "d.tif", values[1:4], descriptions=("B02", "B03", "B04"))
    np.testing.assert_array_equal(
        encoder.features(few, SENSOR, bands=["B02", "B03", "red_2"]),
        encoder.features(named, SENSOR),
    )
    with pytest.raises(DataError, match=r"c.tif: has 3 bands, but the sensor .* has 12: B01"):
        encoder.features(few, SENSOR)
    with pytest.raises(DataError, match="no band 'B2'; did you mean"):
        encoder.features(few, SENSOR, bands=["B2", "B03", "B04"])
    with pytest.raises(DataError, match="name each band once"):
        encoder.features(few, SENSOR, bands=["B02", "B02", "B04"])
    plainly = tuple(name.replace("B0", "b") for name in turned)
    path = write_tif(tmp_path / "e.tif", values[::-1].copy(), descriptions=plainly)
    np.testing.assert_allclose(encoder.features(path, SENSOR), plain, rtol=0, atol=1e-5)


def test_names_that_contradict_the_order_are_refused(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """One unknown name among reversed ones would let the order of the sensor count."""
    names = [band.name for band in Sensor.read(SENSOR).bands]
    values, turned = reflectance(16, 16), tuple(reversed(names))
    path = write_tif(tmp_path / "a.tif", values, descriptions=("cirrus", *turned[1:]))
    message = "a.tif: the description of band 12 is 'B01', but B01 is band 1 of B01, B02, B03"
    for read in (encoder.features, lambda p, s: encoder.embeddings([p], s)):
        with pytest.raises(DataError, match=message):
            read(path, SENSOR)
    path = write_tif(tmp_path / "b.tif", values, descriptions=turned)
    with pytest.raises(DataError, match=r"b.tif: the description of band 12 is 'B01'"):
        encoder.features(path, SENSOR, bands=names)


def test_a_band_without_any_data_is_refused(encoder: FeatureExtractor, tmp_path: Path) -> None:
    """Its mean would be embedded as if it had been seen."""
    values = reflectance(32, 32)
    values[3] = 0
    path = write_tif(tmp_path / "a.tif", values, nodata=0)
    for read in (encoder.features, lambda p, s: encoder.embeddings([p], s)):
        with pytest.raises(DataError, match=r"a.tif: band B04 has no data; write a file without"):
            read(path, SENSOR)


def test_another_unit_is_one_sentence_and_a_filled_corner_is_none(
    encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """Reflectances of 0 to 1 would all be embedded as darkness."""
    values = reflectance(32, 32)
    shares = write_tif(tmp_path / "shares.tif", (values / 1e7).astype(np.float32))
    with pytest.raises(DataError, match=r"shares.tif: .* outside .* of its first band, B01, are 1"):
        encoder.features(shares, SENSOR)
    with pytest.raises(DataError, match=r"shares.tif: values from"):
        encoder.embeddings([shares], SENSOR)
    values[:, :16, :16] = 0
    path = write_tif(tmp_path / "corner.tif", values)
    assert np.isfinite(encoder.features(path, SENSOR, overlap=0)).all()
    missing = write_tif(tmp_path / "missing.tif", np.zeros_like(values), nodata=0)
    with pytest.raises(DataError, match=r"missing.tif: no pixel of .* has data"):
        encoder.features(missing, SENSOR)
    with pytest.raises(DataError, match="has no data; remove it"):
        encoder.embeddings([missing], SENSOR)


def test_a_picture_has_features_of_patches(encoder: FeatureExtractor, tmp_path: Path) -> None:
    """Photographs from the air could not be used without a conversion."""
    pixels = np.random.default_rng(0).integers(20, 200, (20, 24, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    tif = write_tif(tmp_path / "a.tif", pixels.transpose(2, 0, 1).copy())
    found = encoder.features(tmp_path / "a.png", "rgb")
    np.testing.assert_array_equal(found, encoder.features(tif, "rgb"))
    assert found.shape == (16, 5, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": 18}, "--tile is 18 pixels, no multiple of the patch of 4; use 16"),
        ({"overlap": 3}, "--overlap is 3 pixels, no multiple of the patch of 4; use 4"),
        ({"overlap": 16}, "overlap at least 0 and smaller than the size"),
        ({"sensor": "sentinel2"}, "sensor 'sentinel2': did you mean"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_mistakes_are_one_sentence(
    options: dict[str, Any], message: str, encoder: FeatureExtractor, tmp_path: Path
) -> None:
    """A user would see a traceback."""
    path = write_scene(tmp_path / "a.tif", 32, 32)
    with pytest.raises(UserError, match=message):
        encoder.features(path, **{"sensor": SENSOR, **options})


def converted(path: Path, block: dict[str, Any]) -> Path:
    weights, metadata = export(built(block), block)
    save_file(weights, path.with_suffix(".safetensors"), metadata)
    torch.save(interop.convert(path.with_suffix(".safetensors")), path)
    return path


@pytest.mark.parametrize("block", [pretraining(), TASK, DENSE], ids=lambda block: block["type"])
@pytest.mark.parametrize("form", ["trained", "published", "converted"])
def test_every_kind_of_weights_gives_its_encoder(
    block: dict[str, Any], form: str, tmp_path: Path
) -> None:
    """A user could not compute features with one of the files."""
    path = tmp_path / "weights.pth"
    if form == "trained":
        save_checkpoint(path, block)
    else:
        converted(path, block)
    path = path.with_suffix(".safetensors") if form == "published" else path
    found = openstl_ext.load_encoder(path, device="cpu").net
    part = "net" if block is TASK else "net.encoder"
    expected = built(block).get_submodule(part).state_dict()
    torch.testing.assert_close(found.state_dict(), expected, rtol=0, atol=0)


def test_weights_without_an_encoder_are_refused(tmp_path: Path) -> None:
    """A user would see a traceback, or features of random weights."""
    net = {"type": "SimVP", "in_shape": (2, 1, 8, 8), "spatial_channels": 4}
    path = save_checkpoint(
        tmp_path / "simvp.pth",
        {"type": "DirectForecast", "net": net, "loss": {"type": "L2"}},
    )
    with pytest.raises(CheckpointError, match="is of a SimVP, which has no encoder"):
        openstl_ext.load_encoder(path)
    torch.save({"state_dict": built(TASK).state_dict()}, path)
    with pytest.raises(CheckpointError, match="does not state its net; use a checkpoint"):
        openstl_ext.load_encoder(path)
    with pytest.raises(ConfigError, match="num_head"):
        openstl_ext.load_encoder(save_checkpoint(path), num_head=4)


def test_a_sensor_of_the_user_needs_its_ranges_in_the_encoder(tmp_path: Path) -> None:
    """A new band would be embedded as another one."""
    band = {"name": "x", "band": "orange", "low": 0, "high": 1, "mean": 0.5, "std": 0.2}
    ranges = {"orange": {"min_nm": 595.0, "max_nm": 625.0}}
    (tmp_path / "mine.json").write_text(
        json.dumps({"about": "A test.", "bands": [band], "spectrum": ranges})
    )
    weights, sensor = save_checkpoint(tmp_path / "ours.pth"), str(tmp_path / "mine.json")
    values = np.random.default_rng(0).uniform(0, 1, (1, 16, 16)).astype(np.float32)
    path = write_tif(tmp_path / "a.tif", values)
    with pytest.raises(ConfigError, match=r"bands of its own, such as 'orange'.*load_encoder"):
        openstl_ext.load_encoder(weights).features(path, sensor)
    encoder = openstl_ext.load_encoder(weights, sensors=[sensor])
    assert np.isfinite(encoder.features(path, sensor)).all()
