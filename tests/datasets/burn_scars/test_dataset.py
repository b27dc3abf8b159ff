"""HLS BurnScars: pairs of rasters, missing values, splits and windows."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("rasterio")

from openstl_ext.datasets.burn_scars import IMAGE, MASK, BurnScars
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError

CHIP = "HLS.S30.T13TDE.2021250.v1.4"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("toy")
    BurnScars.make_toy(root)
    return root


def chip(root: Path, image: np.ndarray, mask: np.ndarray, nodata: float | None = None) -> Path:
    """Write one chip of the test split."""
    write_raster(root / f"validation/{CHIP}{IMAGE}", image.astype(np.float32), nodata=nodata)
    write_raster(root / f"validation/{CHIP}{MASK}", mask[None].astype(np.int16))
    return root


def test_bands_labels_and_missing_values_are_those_of_the_files(tmp_path: Path) -> None:
    """B8A would be embedded as B11, and -9999 or 9999 would be a dark or bright pixel."""
    image = np.full((6, 4, 4), 0.05) * np.arange(1, 7).reshape(6, 1, 1)
    image[:, 0, 0], image[:, 0, 1], image[:, 0, 2] = 9999, -9999, -0.5
    mask = np.zeros((4, 4))
    mask[3], mask[2] = 1, -1
    root = chip(tmp_path, image, mask, nodata=-0.5)
    dataset = BurnScars(root=str(root), split="test", bands=["B11", "near_infrared_3"])
    item = dataset[0]
    frames = item["inputs"]["frames"]
    assert item["inputs"]["bands"].tolist() == [[13, 11]]
    assert dataset.metainfo.labels == ("B11", "B8A")
    assert (frames[0, :, 0, :3] == 0).all()
    # (reflectance - mean) / std of the publication, which the limits do not change
    expected = [(0.25 - 0.197285485) / 0.087087388, (0.20 - 0.232324511) / 0.077917324]
    np.testing.assert_allclose(frames[0, :, 3, 3], expected, rtol=1e-4)
    target = item["data_samples"]
    assert target["labels"].dtype == torch.int64
    assert target["labels"].tolist() == [[0] * 4, [0] * 4, [0] * 4, [1] * 4]
    assert (~target["valid"]).nonzero()[:, 0].tolist() == [2, 2, 2, 2]
    assert dataset.sample_id(0) == CHIP


def test_a_nodata_value_that_is_a_class_is_a_class(tmp_path: Path) -> None:
    """Only burnt pixels would count, because tools declare the background as missing."""
    mask = np.array([[0, 1], [-1, 0]])
    root = chip(tmp_path, np.full((6, 2, 2), 0.1), mask)
    write_raster(root / f"validation/{CHIP}{MASK}", mask[None].astype(np.int16), nodata=0)
    target = BurnScars(root=str(root), split="test")[0]["data_samples"]
    assert target["labels"].tolist() == [[0, 1], [0, 0]]
    assert target["valid"].tolist() == [[True, True], [False, True]]


def test_training_takes_windows_and_evaluation_whole_images(toy: Path) -> None:
    """A centre crop would show the scar only, and an evaluation would depend on chance."""
    train = BurnScars(root=str(toy), split="train", crop_size=32, augment="flips")
    test = BurnScars(root=str(toy), split="test", crop_size=32, image_size=48)
    shapes = {tuple(train[0]["inputs"]["frames"].shape) for _ in range(3)}
    assert shapes == {(1, 6, 32, 32)}
    assert not torch.equal(train[0]["inputs"]["frames"], train[0]["inputs"]["frames"])
    item = test[0]
    assert item["inputs"]["frames"].shape == (1, 6, 48, 48)
    assert item["data_samples"]["labels"].shape == (64, 64)
    assert torch.equal(item["inputs"]["frames"], test[0]["inputs"]["frames"])


def test_flips_turn_image_and_labels_alike(toy: Path) -> None:
    """A net would be trained on labels of other pixels."""
    plain = BurnScars(root=str(toy), split="train", crop_size=None)
    turned = BurnScars(root=str(toy), split="train", crop_size=None, augment="flips")
    first = plain[0]
    found = set()
    for _ in range(20):
        item = turned[0]
        labels, swir = item["data_samples"]["labels"], item["inputs"]["frames"][0, 5]
        valid = item["data_samples"]["valid"]
        bright, dark = swir[valid & (labels == 1)], swir[valid & (labels == 0)]
        assert bright.mean() > dark.mean() + 1
        found.add(tuple(labels.flatten().tolist()))
    assert len(found) > 3
    again = plain[0]["inputs"]["frames"]
    assert torch.equal(first["inputs"]["frames"], again)


def test_validation_takes_whole_tiles_of_the_training_folder(tmp_path: Path) -> None:
    """Images of one place would be in training and validation."""
    pixel = np.zeros((6, 1, 1), np.float32), np.zeros((1, 1, 1), np.int16)
    for tile in range(10):
        for day in ("2018100", "2019100"):
            name = tmp_path / f"training/subsetted_512x512_HLS.S30.T1{tile}SDH.{day}.v1.4"
            for ending, values in zip((IMAGE, MASK), pixel, strict=True):
                write_raster(name.with_name(name.name + ending), values)
    parts = {
        split: [
            dataset.sample_id(i).split(".")[2]
            for dataset in [BurnScars(root=str(tmp_path), split=split, val_fraction=0.2)]
            for i in range(len(dataset))
        ]
        for split in ("train", "val")
    }
    assert parts["val"] == ["T12SDH"] * 2 + ["T17SDH"] * 2
    assert len(parts["train"]) == 16
    assert not set(parts["train"]) & set(parts["val"])
    with pytest.raises(ConfigError, match="leave nothing for val with val_fraction=0"):
        BurnScars(root=str(tmp_path), split="val", val_fraction=0)


def test_the_lists_of_the_newer_arrangement_are_used(toy: Path, tmp_path: Path) -> None:
    """The published split would be replaced by another."""
    shutil.copytree(toy / "training", tmp_path / "data")
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits/val.txt").write_text("T11SKU.2019250.v1\n")
    dataset = BurnScars(root=str(tmp_path), split="val", crop_size=32)
    assert [dataset.sample_id(i).split(".")[2] for i in range(len(dataset))] == ["T11SKU"]
    (tmp_path / "splits/val.txt").write_text("T99SKU.2019250.v1\n")
    with pytest.raises(DataError, match=r"val.txt: 'T99SKU.2019250.v1' names no image in .*data"):
        BurnScars(root=str(tmp_path), split="val")


def test_mistakes_are_named(toy: Path, tmp_path: Path) -> None:
    """A traceback would not name the file and the remedy."""
    with pytest.raises(DatasetNotFoundError, match=r"tar -xzf hls_burn_scars.tar.gz"):
        BurnScars(root=str(tmp_path), split="train")
    with pytest.raises(ConfigError, match=r"crop_size is 65, but .* has 64 x 64 pixels"):
        _ = BurnScars(root=str(toy), split="train", crop_size=65)[0]
    with pytest.raises(ConfigError, match="remove it from the val dataset"):
        BurnScars(root=str(toy), split="val", augment="flips")
    ones = np.ones((6, 2, 2))
    cases = (
        (0.1 * ones, np.full((2, 2), 2), "has the label 2 .* expected 0 not_burnt, 1 burnt"),
        (0.1 * ones, np.zeros((2, 3)), "expected .1, 2, 2. as of"),
        (4000 * ones, np.zeros((2, 2)), "is the unit another one"),
        (ones[:3], np.zeros((2, 2)), "has 3 bands, but the sensor hls_s30 has 6"),
    )
    for number, (image, mask, message) in enumerate(cases):
        dataset = BurnScars(root=str(chip(tmp_path / str(number), image, mask)), split="test")
        with pytest.raises(DataError, match=message):
            _ = dataset[0]
    (tmp_path / f"0/validation/{CHIP}{MASK}").unlink()
    with pytest.raises(DataError, match=f"{CHIP}{MASK}: there is no such mask"):
        BurnScars(root=str(tmp_path / "0"), split="test")
