"""DFC2020: the file of tensors and the original folders."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.datasets.dfc2020 import DFC2020
from openstl_ext.datasets.dfc2020.patch_folders import patch_path
from openstl_ext.datasets.dfc2020.tensor_file import FILE
from openstl_ext.datasets.synthetic.class_maps import write_raster
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError

SMALL: dict[str, Any] = {"windows_per_patch": 2, "image_size": None}


def write(root: Path, **changes: Any) -> Path:
    """Write four windows, two of each patch, and two for the test; band b has the value 10 b."""
    values = 10 * torch.arange(14, dtype=torch.uint8).view(1, 14, 1, 1)
    content = {
        "train_images": values.repeat(4, 1, 2, 2),
        "train_labels": torch.tensor([[0, 7], [-1, 3]]).repeat(4, 1, 1),
        "validation_images": values.repeat(2, 1, 2, 2),
        "validation_labels": torch.tensor([[0, 7], [-1, 3]]).repeat(2, 1, 1),
    }
    torch.save(content | changes, root / FILE)
    return root


def test_bands_and_labels_of_the_file_are_in_their_places(tmp_path: Path) -> None:
    """A band would be normalised and embedded as another one."""
    root = str(write(tmp_path))
    item = DFC2020(root=root, split="test", bands=["B12", "B02"], **SMALL)[0]
    assert item["inputs"]["bands"].tolist() == [[14, 1]]
    frames = item["inputs"]["frames"]
    expected = [(110 / 255 - 0.4925) / 0.2354, (10 / 255 - 0.4883) / 0.2103]
    np.testing.assert_allclose(frames[0, :, 0, 0], expected, rtol=1e-5)
    assert item["data_samples"]["labels"].tolist() == [[0, 7], [0, 3]]
    assert item["data_samples"]["valid"].tolist() == [[True, True], [False, True]]


def test_radar_bands_give_a_second_image(tmp_path: Path) -> None:
    """Sentinel-1 would be read as bands of Sentinel-2."""
    root = str(write(tmp_path))
    both = DFC2020(root=root, split="test", bands=["VH", "B02", "red_2"], **SMALL)
    item = both[0]
    assert item["inputs"]["bands"].tolist() == [[1, 6], [16, -1]]
    assert item["inputs"]["frames"][1, :, 0, 0].tolist() == [
        pytest.approx((130 / 255 - 0.498) / 0.2394, rel=1e-4),
        0,
    ]
    assert both.metainfo.labels == ("B02", "B04")
    radar = DFC2020(root=root, split="test", bands=["VV", "VH"], **SMALL)
    assert radar[0]["inputs"]["bands"].tolist() == [[15, 16]]


def test_windows_of_a_patch_stay_together(tmp_path: Path) -> None:
    """Training windows would overlap with those of validation."""
    root = str(write(tmp_path))
    ids = {
        split: [dataset.sample_id(i) for i in range(len(dataset))]
        for split in ("train", "val", "test")
        for dataset in [DFC2020(root=root, split=split, **SMALL)]
    }
    assert ids == {
        "train": ["train-00000-0", "train-00000-1"],
        "val": ["train-00001-0", "train-00001-1"],
        "test": ["validation-00000-0", "validation-00000-1"],
    }
    whole = DFC2020(root=root, split="train", val_fraction=0, **SMALL)
    assert len(whole) == 4
    with pytest.raises(ConfigError, match="nothing is left for val with val_fraction=0"):
        DFC2020(root=root, split="val", val_fraction=0, **SMALL)


def test_images_are_resampled_and_labels_are_not(tmp_path: Path) -> None:
    """Labels would be interpolated between classes."""
    DFC2020.make_toy(tmp_path)
    dataset = DFC2020(root=str(tmp_path), split="val", image_size=224)
    item = dataset[0]
    assert item["inputs"]["frames"].shape == (1, 12, 224, 224)
    assert item["data_samples"]["labels"].shape == (96, 96)
    assert len(dataset) == 9
    copy = pickle.loads(pickle.dumps(dataset))
    assert len(pickle.dumps(dataset)) < 100_000
    assert torch.equal(copy[0]["inputs"]["frames"], item["inputs"]["frames"])
    assert dataset.metainfo.synthetic


def test_shuffled_windows_are_refused(tmp_path: Path) -> None:
    """Validation would have windows that overlap with training windows."""
    DFC2020.make_toy(tmp_path)
    content = torch.load(tmp_path / FILE)
    order = torch.arange(18).view(2, 9).T.flatten()
    for key in ("train_images", "train_labels"):
        content[key] = content[key][order]
    torch.save(content, tmp_path / FILE)
    with pytest.raises(DataError, match="not neighbouring windows of one patch"):
        DFC2020(root=str(tmp_path), split="train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": torch.full((4, 2, 2), 9)}, "train-00000-0: has the label 9"),
        ({"train_labels": torch.zeros(4, 3, 2)}, r"train_labels \(4, 3, 2\), expected"),
        ({"train_images": torch.zeros(4, 14, 2, 2)}, r"is of torch.float32, expected torch.uint8"),
        ({"train_images": torch.zeros(4, 13, 2, 2)}, r"shape \(4, 13, 2, 2\)"),
        ({"train_images": None}, "expected the tensors train_images and train_labels"),
        (
            {"train_images": torch.zeros(3, 14, 2, 2).byte(), "train_labels": torch.zeros(3, 2, 2)},
            "3 windows, which are no whole patches of 2",
        ),
    ],
)
def test_another_content_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    """A traceback of the library would not name the file."""
    root = str(write(tmp_path, **changes))
    with pytest.raises(DataError, match=message):
        _ = DFC2020(root=root, split="train", **SMALL)[0]


def test_a_missing_or_other_file_is_named(tmp_path: Path) -> None:
    """A user would have to search for the name of the file."""
    with pytest.raises(DatasetNotFoundError, match=r"CROMA_benchmarks DFC_preprocessed\.pt"):
        DFC2020(root=str(tmp_path), split="train")
    (tmp_path / FILE).write_bytes(pickle.dumps({"train_images": print}))
    with pytest.raises(DataError, match="not a file of tensors that can be mapped"):
        DFC2020(root=str(tmp_path), split="train")


def folders(root: Path, *, count: int = 2) -> Path:
    """Write patches in the original layout; band b has the value 100 b."""
    pytest.importorskip("rasterio")
    optical = 100 * np.ones((13, 4, 4), np.uint16) * np.arange(13, dtype=np.uint16)[:, None, None]
    labels = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 1], [2, 2, 2, 2]], np.uint8)
    radar = np.full((2, 4, 4), -12.0, np.float32)
    radar[1, 0, 0] = np.nan
    for part, numbers in (("test", range(9, 9 + count)), ("validation", range(1))):
        for number in numbers:
            for token, values in (("s1", radar), ("s2", optical), ("dfc", labels[None])):
                write_raster(patch_path(root, part, token, number), values)
    return root


def test_the_original_folders_have_the_same_classes_and_splits(tmp_path: Path) -> None:
    """Savanna would be trained as grassland, and one form scored on the training part of other."""
    root = str(folders(tmp_path))
    dataset = DFC2020(root=root, split="test", bands=["B8A", "B11", "VV", "VH"], image_size=None)
    item = dataset[0]
    assert item["inputs"]["bands"].tolist() == [[11, 13], [15, 16]]
    expected = ((800 - 20.5591) / (4884.79 - 20.5591) - 0.456322) / 0.246041
    assert item["inputs"]["frames"][0, 0, 0, 0].item() == pytest.approx(expected, rel=1e-5)
    assert item["inputs"]["frames"][1, 1, 0, 0] == 0
    labels, valid = item["data_samples"]["labels"], item["data_samples"]["valid"]
    assert torch.where(valid, labels, -1).tolist() == [
        [-1, 0, 1, -1],
        [2, 3, 4, 5],
        [-1, 6, 7, 0],
        [1, 1, 1, 1],
    ]
    names = {
        split: DFC2020(root=root, split=split).sample_id(0) for split in ("train", "val", "test")
    }
    assert names == {
        "train": "ROIs0000_test_dfc_0_p9",
        "val": "ROIs0000_test_dfc_0_p10",  # by number, not by text
        "test": "ROIs0000_validation_dfc_0_p0",
    }


def test_mistakes_in_the_folders_are_named(tmp_path: Path) -> None:
    """A traceback would not name the file."""
    root = folders(tmp_path)
    with pytest.raises(DataError, match="no band 'B99'"):
        DFC2020(root=str(root), split="test", bands=["B99"])
    label = patch_path(root, "validation", "dfc", 0)
    write_raster(label, np.full((1, 4, 4), 17, np.uint8))
    with pytest.raises(DataError, match=r"dfc_0_p0\.tif: has the label 17, expected 0 to 10"):
        _ = DFC2020(root=str(root), split="test")[0]
    patch_path(root, "validation", "s2", 0).unlink()
    with pytest.raises(DataError, match=r"s2_0_p0\.tif: there is no such image"):
        DFC2020(root=str(root), split="test")
