"""Images of scene sets: bands, values, classes, size and augmentation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from openstl_ext.datasets.scenes import RESISC45, WHURS19, EuroSAT, UCMerced
from openstl_ext.datasets.scenes.dataset import centre_cropped
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.crs import named_crs
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter
from tests.small_recipe import toy_set

DN = 1000 + 100 * np.arange(13)
"""Value of each band in the order of the files."""


def write_raster(path: Path) -> None:
    crs = named_crs("EPSG:32635", what="test").to_wkt()
    grid = Grid(height=4, width=4, crs=crs, transform=(10, 0, 3e5, 0, -10, 5e6))
    with RasterWriter(path, grid, num_bands=13, dtype="uint16", block=16) as writer:
        for band, value in enumerate(DN, start=1):
            writer.write(np.full((4, 4), value, np.uint16), Window(0, 0, 4, 4), band)


@pytest.fixture(scope="module")
def one_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EuroSAT with one image, of the class River."""
    root = tmp_path_factory.mktemp("eurosat")
    write_raster(root / "EuroSAT_MS/River/River_7.tif")
    (root / "eurosat-train.txt").write_text("River_7.jpg\n")
    return root


def normalised(sensor: str, name: str, value: float) -> float:
    band = next(b for b in Sensor.read(sensor).all_bands if b.name == name)
    share = min(max((value - band.low) / (band.high - band.low), 0), 1)
    return (share - band.mean) / band.std


@pytest.mark.parametrize("sensor", ["eurosat", "sentinel2_l1c"])
def test_b8a_is_the_last_band_of_a_file_whatever_the_table(one_image: Path, sensor: str) -> None:
    """The water vapour band would be embedded as near infrared."""
    bands = ["B8A", "B02", "B11"]
    dataset = EuroSAT(
        root=str(one_image), split="train", sensor=sensor, bands=bands, image_size=None
    )
    inputs = dataset[0]["inputs"]
    expected = [normalised(sensor, n, DN[i]) for n, i in (("B8A", 12), ("B02", 1), ("B11", 10))]
    assert inputs["frames"].shape == (1, 3, 4, 4)
    assert inputs["frames"][0, :, 1, 2].tolist() == pytest.approx(expected, rel=1e-5)
    assert inputs["bands"].tolist() == [[11, 1, 13]]
    assert dataset.metainfo.labels == ("B8A", "B02", "B11")


def test_the_band_without_projection_is_left_out(one_image: Path) -> None:
    """Cirrus would be embedded by a projection of another band."""
    dataset = EuroSAT(root=str(one_image), split="train", image_size=8)
    inputs = dataset[0]["inputs"]
    assert inputs["frames"].shape == (1, 12, 8, 8)
    assert inputs["bands"].tolist() == [[0, 1, 4, 6, 7, 8, 10, 9, 12, 13, 14, 11]]
    assert "B10" not in dataset.metainfo.labels


def test_class_ids_are_those_of_the_full_list(one_image: Path) -> None:
    """Ids would depend on the folders that are present."""
    dataset = EuroSAT(root=str(one_image), split="train", image_size=None)
    label = dataset[0]["data_samples"]["labels"]
    assert (label.dtype, label.shape, int(label)) == (torch.int64, (), 8)
    assert dataset.metainfo.classes[8:] == ("river", "sea_lake")
    assert len(dataset.metainfo.classes) == 10


def test_classes_are_in_the_order_of_bytes_and_one_word_each() -> None:
    """Ids of WHU-RS19 would be those of a copy with another order."""
    for cls, number in ((EuroSAT, 10), (RESISC45, 45), (UCMerced, 21), (WHURS19, 19)):
        assert list(cls.facts.classes) == sorted(cls.facts.classes)
        assert len(set(cls.facts.class_words)) == number
    assert WHURS19.facts.class_words[17:] == ("football_field", "railway_station")


def test_pictures_are_red_green_blue_and_normalised_by_their_table(tmp_path: Path) -> None:
    """Red would be embedded as blue, or bytes as reflectance."""
    values = np.empty((8, 8, 3), np.uint8)
    values[:] = 200, 100, 50
    folder = tmp_path / "UCMerced_LandUse/Images/beach"
    folder.mkdir(parents=True)
    Image.fromarray(values).save(folder / "beach00.tif")
    (tmp_path / "uc_merced-test.txt").write_text("beach00.tif\n")
    dataset = UCMerced(root=str(tmp_path), split="test", image_size=7)
    frames = dataset[0]["inputs"]["frames"]
    expected = [
        normalised("uc_merced", name, value)
        for name, value in (("red", 200), ("green", 100), ("blue", 50))
    ]
    assert frames.shape == (1, 3, 7, 7)
    assert frames[0, :, 3, 3].tolist() == pytest.approx(expected, rel=1e-5)


def test_the_centre_of_256_pixels_is_cut_out() -> None:
    """A crop at another place or scale would differ from the published one."""
    image = np.random.default_rng(0).normal(size=(1, 256, 256)).astype(np.float32)
    assert (centre_cropped(image, 224, order=3) == image[:, 16:240, 16:240]).all()
    rows = np.broadcast_to(np.arange(64.0, dtype=np.float32)[None, :, None], (1, 64, 48))
    cropped = centre_cropped(np.ascontiguousarray(rows), 42, order=1)  # the short side stays 48
    assert cropped.shape == (1, 42, 42)
    np.testing.assert_allclose(cropped[0, :, 0], np.arange(11, 53), atol=1e-4)


def test_pictures_of_several_sizes_fit_one_batch() -> None:
    """A batch of UC-Merced could not be stacked."""
    root = str(toy_set("UCMerced"))
    shapes, sizes = set(), set()
    for split in ("train", "val", "test"):
        dataset = UCMerced(root=root, split=split, image_size=16)
        native = UCMerced(root=root, split=split, image_size=None)
        shapes |= {dataset[i]["inputs"]["frames"].shape for i in range(len(dataset))}
        sizes |= {native[i]["inputs"]["frames"].shape for i in range(len(native))}
    assert shapes == {(1, 3, 16, 16)}
    assert sizes == {(1, 3, 32, 32), (1, 3, 29, 32)}


def test_augmentation_mirrors_and_turns_in_training_only() -> None:
    """Scores would depend on chance, or training images would be others."""
    arguments: dict[str, Any] = {"root": str(toy_set("EuroSAT")), "image_size": None}
    plain = EuroSAT(split="train", **arguments)[0]["inputs"]["frames"]
    dataset = EuroSAT(split="train", augment="flips", **arguments)
    forms = [torch.rot90(f, k, (-2, -1)) for f in (plain, plain.flip(-1)) for k in range(4)]
    found = set()
    for seed in range(40):
        torch.manual_seed(seed)
        frames = dataset[0]["inputs"]["frames"]
        found.add(next(i for i, form in enumerate(forms) if torch.equal(form, frames)))
    assert found == set(range(8))
    with pytest.raises(ConfigError, match="augment is for training; remove it from the test"):
        EuroSAT(split="test", augment="flips", **arguments)


@pytest.mark.parametrize("name", ["EuroSAT", "RESISC45", "UCMerced", "WHURS19"])
def test_toy_classes_differ_in_their_mean_values(name: str) -> None:
    """A test of a classifier on the toy set could not fail for the right reason."""
    cls = {"EuroSAT": EuroSAT, "RESISC45": RESISC45, "UCMerced": UCMerced, "WHURS19": WHURS19}[name]
    dataset = cls(root=str(toy_set(name)), split="train", image_size=None)
    assert dataset.metainfo.synthetic
    items = [dataset[i] for i in range(len(dataset))]
    labels = torch.stack([item["data_samples"]["labels"] for item in items])
    means = torch.stack([item["inputs"]["frames"].mean((0, 2, 3)) for item in items])
    centres = torch.stack([means[labels == k].mean(0) for k in labels.unique()])
    assert torch.equal(labels.unique()[torch.cdist(means, centres).argmin(1)], labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sensor": "sentinel2_l2a"}, "has the bands .*, but the files of EuroSAT have B01, B02"),
        ({"bands": ["B8B"]}, "sensor eurosat: no band 'B8B'; did you mean .*'B8A'"),
        ({"bands": ["B10"]}, "short_wave_infrared_2"),
    ],
)
def test_bands_that_the_files_lack_are_named(
    one_image: Path, arguments: dict[str, Any], message: str
) -> None:
    """Statistics of one band would be applied to another."""
    with pytest.raises(DataError, match=message):
        EuroSAT(root=str(one_image), split="train", **arguments)
