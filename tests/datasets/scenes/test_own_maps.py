"""Label maps of a user."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.scenes.own_maps import SceneMaps
from openstl_ext.errors import ConfigError, DataError
from tests.rasters.files import NORTH_UP, write_tif

CLASSES = ("water", "land", "ice")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two images of two bands, whose first is the row of a pixel, with labels of two sizes."""
    bands = [
        {"name": n, "band": n, "low": 0, "high": 100, "mean": 0.5, "std": 0.5}
        for n in ("green_2", "red_2")
    ]
    (tmp_path / "mine.json").write_text(json.dumps({"about": "", "bands": bands}))
    for folder in ("images", "labels"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    rows = np.tile(np.arange(12, dtype=np.uint8)[:, None], (1, 8))
    for name in ("a", "b"):
        write_tif(tmp_path / "set/images" / f"{name}.tif", np.stack([10 * (rows % 10), rows + 50]))
        labels = np.where(rows < 5, 0, 2).astype(np.uint8)
        labels[0, 0] = 255
        write_tif(tmp_path / "set/labels" / f"{name}.tif", labels[None], nodata=255)
    (tmp_path / "set" / "train.txt").write_text("a\n")
    (tmp_path / "set" / "val.txt").write_text("b.tif\n")
    return tmp_path / "set"


def maps(root: Path, split: str = "train", **options: Any) -> SceneMaps:
    sensor = str(root.parent / "mine.json")
    return SceneMaps(root=str(root), split=split, sensor=sensor, classes=CLASSES, **options)


def test_pixels_and_labels_are_those_of_one_place(root: Path) -> None:
    """The net would learn the class of another pixel."""
    item = maps(root)[0]
    frames, targets = item["inputs"]["frames"][0], item["data_samples"]
    assert frames.shape == (2, 12, 8)
    assert frames[0, :, 3].tolist() == pytest.approx([r % 10 / 5 - 1 for r in range(12)])
    assert targets["labels"][1:, 3].tolist() == [0] * 4 + [2] * 7
    assert (~targets["valid"]).nonzero().tolist() == [[0, 0]]
    item = maps(root, crop_size=4, augment="flips")[0]
    shares = (item["inputs"]["frames"][0, 1] + 1) * 50 - 50  # the rows of the crop
    valid = item["data_samples"]["valid"]
    expected = np.where(shares.round().numpy() < 5, 0, 2)
    assert valid.sum() >= 15
    assert (item["data_samples"]["labels"].numpy() == expected)[valid.numpy()].all()
    assert maps(root, "val").sample_id(0) == "b"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "train.txt: the list is empty"),
        ("a\na\n", "train.txt: names a twice"),
        ("c\n", r"train.txt: names c, but there is no .*images/c.tif; correct the list"),
        ("a\nb\n", r"train.txt and val.txt share 1 images, such as b; remove"),
        ("x/a\n", "x/a is in a folder"),
        (None, "train.txt: there is no such split list; write it"),
    ],
)
def test_a_wrong_list_is_named(content: str | None, message: str, root: Path) -> None:
    """A training would end in the middle, or its test would use its images."""
    (root / "train.txt").unlink()
    if content is not None:
        (root / "train.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        maps(root)


def test_labels_of_other_pixels_or_classes_are_refused(root: Path) -> None:
    """Labels would be shifted against the image, or count as another class."""
    labels, path = np.full((1, 12, 8), 3, np.uint8), root / "labels" / "a.tif"
    write_tif(path, labels)
    with pytest.raises(DataError, match=r"a.tif: has the label 3 \(96 pixels\), expected 0 water"):
        maps(root)[0]
    shifted = (*NORTH_UP[:2], NORTH_UP[2] + 3 * NORTH_UP[0], *NORTH_UP[3:])
    write_tif(path, labels, transform=shifted)
    with pytest.raises(DataError, match=r"images/a.tif and .*labels/a.tif differ in .*; resample"):
        maps(root)[0]
    write_tif(path, labels[:, :8])
    with pytest.raises(DataError, match=r"labels/a.tif differ in size; resample"):
        maps(root)[0]


def test_a_crop_larger_than_an_image_is_refused(root: Path) -> None:
    """The message of a random generator would not name the image."""
    with pytest.raises(ConfigError, match=r"crop_size is 10, but .*a.tif has 12 x 8 pixels"):
        maps(root, crop_size=10)[0]
