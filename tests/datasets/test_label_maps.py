"""Images with a class for each pixel: targets, windows and the validation part."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.datasets.label_maps import class_indices, draw_window, held_out, map_item
from openstl_ext.engine.collate import collate
from openstl_ext.engine.randomness import seed_everything
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.registry import DATASETS
from tests.small_recipe import SIZES, toy_set

NAMES = ["BurnScars", "DFC2020", "SpaceNet7", "DynamicEarthNet", "SICKLE"]


def build(name: str, split: str, **settings: Any) -> Any:
    return DATASETS.get(name)(root=str(toy_set(name)), split=split, **SIZES[name], **settings)


@pytest.mark.parametrize("name", NAMES)
def test_items_of_all_readers_have_one_form(name: str) -> None:
    """A method would work with one set and fail with another, or train on a label of -1."""
    for split in ("train", "val", "test"):
        dataset = build(name, split)
        batch = collate([dataset[index % len(dataset)] for index in range(2)])
        inputs, target = batch["inputs"], batch["data_samples"]
        assert inputs["frames"].dtype == torch.float32
        assert inputs["frames"].isfinite().all()
        assert inputs["frames"].shape[2] == len(dataset.metainfo.channels)
        assert inputs["bands"].shape == inputs["frames"].shape[:3]
        assert target["labels"].dtype == torch.int64
        assert target["valid"].dtype == torch.bool
        assert target["valid"].shape == target["labels"].shape
        assert target["labels"].unique().tolist()[-1] < len(dataset.metainfo.classes)
        assert (target["labels"] >= 0).all()
        assert target["valid"].any()
        assert dataset.metainfo.synthetic


@pytest.mark.parametrize("name", NAMES)
def test_an_item_depends_on_the_seed_only(name: str) -> None:
    """A resumed run, or one with workers, would train on other images."""
    dataset = build(name, "train", augment="flips")
    found = []
    for part in (dataset, pickle.loads(pickle.dumps(dataset))):
        seed_everything(3)
        found.append(part[0])
        _ = part[len(part) - 1]
    for side in ("inputs", "data_samples"):
        for key, field in found[0][side].items():
            assert torch.equal(field, found[1][side][key]), key


def test_validation_gets_groups_that_are_spread_over_the_names() -> None:
    """All tiles of validation would lie in one region."""
    names = [f"T{k:02d}" for k in range(20)]
    assert sorted(held_out([*names, *names], 0.1)) == ["T05", "T15"]
    assert held_out(names[:1], 0.1) == {"T00"}
    assert held_out(["b", "a"], 0.1) == {"b"}
    assert not held_out(names, 0)
    assert not held_out([], 0.1)


def test_windows_are_drawn_everywhere() -> None:
    """A border of the images would never be seen."""
    torch.manual_seed(0)
    drawn = {draw_window(4, 3, 2, Path("x.tif")) for _ in range(100)}
    assert {(window.row, window.column) for window in drawn} == {
        (row, column) for row in range(3) for column in range(2)
    }
    with pytest.raises(ConfigError, match=r"crop_size is 4, but x\.tif has 4 x 3 .* at most 3"):
        draw_window(4, 3, 4, Path("x.tif"))


@pytest.mark.parametrize("odd", [-2, 2, 255, 0.5, -999])
def test_a_number_that_is_no_class_is_named(odd: float) -> None:
    """Another value for no label would be a class, or an error in the loss."""
    stored = np.array([[0, 1], [-1, odd]])
    with pytest.raises(DataError, match=r"x\.tif: has the label .* expected 0 a, 1 b, or -1"):
        class_indices(stored, ["a", "b"], "x.tif")
    stored = np.array([[0, 1], [-1, np.nan]])
    assert class_indices(stored, ["a", "b"], "x.tif").tolist() == [[0, 1], [-1, -1]]


def test_labels_of_another_size_are_turned_with_the_image() -> None:
    """Images are resampled and labels are not, so both must be turned about the middle."""
    image = np.zeros((1, 8, 8), np.float32)
    image[0, :4, :2] = 1
    labels = np.zeros((4, 4), np.int64)
    labels[:2, 0], labels[3, 3] = 1, -1
    torch.manual_seed(0)
    turned = set()
    for _ in range(30):
        item = map_item([(image, (1,))], labels, "flips")
        target = item["data_samples"]
        small = item["inputs"]["frames"][0, 0, ::2, ::2]
        assert torch.equal(small.long(), target["labels"])
        turned.add(tuple(target["valid"].flatten().tolist()))
    assert len(turned) == 4
