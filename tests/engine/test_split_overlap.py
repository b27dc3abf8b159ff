"""Samples that two splits share."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import ConcatDataset, Dataset, Subset

from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.runner import build
from openstl_ext.engine.split_overlap import check_disjoint, names_test_split, sample_ids
from openstl_ext.errors import ConfigError
from openstl_ext.structures import Channel, Metainfo
from tests.engine import toy


class Ids(Dataset):
    """Dataset that fails when an item is read."""

    metainfo = Metainfo(name="ids", channels=(Channel("a"),))

    def __init__(self, *ids: str) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Any:
        raise AssertionError("frames were read")

    def sample_id(self, index: int) -> str:
        return self.ids[index]


class Repeated(Dataset):
    """Wrapper without sample ids of its own, as mmengine's RepeatDataset."""

    metainfo = Ids.metainfo

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return 2 * len(self.dataset)


@pytest.mark.parametrize(("one", "other"), [("train", "val"), ("train", "test"), ("val", "test")])
def test_shared_samples_are_an_error_with_ids_and_loaders(one: str, other: str) -> None:
    """A model would be evaluated on samples that it was trained on or chosen with."""
    datasets = {"train": Ids("a"), "val": Ids("b"), "test": Ids("c")}
    datasets[other] = Ids("x5", *datasets[one].ids, "x1", "x2", "x3")
    datasets[one] = Ids("x3", "x2", "x1", *datasets[one].ids)
    shared = f"{one}_dataloader and {other}_dataloader share 4 samples ([abc], x1, x2, ...); change"
    with pytest.raises(ConfigError) as caught:
        check_disjoint(datasets)
    assert str(caught.value).startswith(shared.replace("[abc]", datasets[one].ids[-1]))
    assert ("set split='test' in val_dataloader" in str(caught.value)) == (one == "val")


def test_disjoint_splits_pass_and_no_frame_is_read() -> None:
    """Each start of a run would read the data three times."""
    assert not check_disjoint({"train": Ids("a", "a"), "val": Ids("b"), "test": Ids("c")})
    assert not check_disjoint({"test": Ids("a")})


class Windows(Ids):
    """Windows of five frames of a series, numbered within the split."""

    def __init__(self, split: str, *starts: int) -> None:
        super().__init__(*(f"{split}-{k}" for k in range(len(starts))))
        self.starts = starts

    def frame_ids(self, index: int) -> list[str]:
        return [f"series/{k}" for k in range(self.starts[index], self.starts[index] + 5)]


@pytest.mark.parametrize("name", ["val", "test"])
def test_a_sample_that_is_evaluated_twice_is_an_error(name: str) -> None:
    """A line that a list of a split has twice would change the scores."""
    with pytest.raises(ConfigError, match=f"{name}_dataloader has 1 samples twice, such as b"):
        check_disjoint({name: Ids("a", "b", "b")})


def test_windows_of_a_series_that_overlap_are_an_error() -> None:
    """A model would be evaluated on frames that it was trained on, under other ids."""
    apart = {"train": Windows("train", 0, 5), "test": Windows("test", 10)}
    assert not check_disjoint(apart)
    shared = Windows("test", 9, 20)
    with pytest.raises(ConfigError, match=r"share 1 frames \(series/9\)"):
        check_disjoint({**apart, "test": shared})
    for dataset in (ConcatDataset([Ids("x"), shared]), Subset(shared, [0]), Repeated(shared)):
        with pytest.raises(ConfigError, match="share 1 frames"):
            check_disjoint({**apart, "test": dataset})
    assert not check_disjoint({**apart, "test": Subset(shared, [1])})


def test_samples_of_one_folder_are_compared_frame_by_frame(tmp_path: Path) -> None:
    """A folder that gives one sample to training and two to the test would be in both."""
    for frame in range(12):
        (tmp_path / "run").mkdir(exist_ok=True)
        np.save(tmp_path / "run" / f"{frame}.npy", np.zeros((4, 4), np.float32))
    one, later, last = (
        [f"run/{frame}.npy" for frame in range(start, start + 4)] for start in (0, 4, 8)
    )
    for train, is_shared in (([one], True), ([last], False)):
        sets = {}
        for split, samples in {"train": train, "test": [one, later]}.items():
            file = f"{split}_loaders.json"
            (tmp_path / file).write_text(json.dumps({split: {"samples": samples}}))
            sets[split] = FrameFolders(
                root=str(tmp_path), split=split, num_inputs=2, num_targets=2, loaders=file
            )
        if is_shared:
            with pytest.raises(ConfigError, match=r"share 4 frames \(run/0, "):
                check_disjoint(sets)
        else:
            assert not check_disjoint(sets)


def test_validation_on_the_test_split_is_allowed_by_name_only() -> None:
    """Published protocols could not be repeated, or training data would pass with them."""
    datasets = {"train": Ids("a"), "val": Ids("b"), "test": Ids("b")}
    assert check_disjoint(datasets, val_names_test=True)
    with pytest.raises(ConfigError, match="train_dataloader and test_dataloader share 1 samples"):
        check_disjoint({**datasets, "train": Ids("c"), "test": Ids("b", "c")}, val_names_test=True)


@pytest.mark.parametrize(
    "wrapped",
    [
        Seeded(dataset=Ids("a", "b"), seed=0),
        Subset(Ids("x", "a", "b"), [1, 2]),
        ConcatDataset([Ids("a"), Ids("b")]),
        Repeated(Ids("a", "b")),
        Seeded(dataset=Repeated(ConcatDataset([Ids("a"), Subset(Ids("b", "c"), [0])])), seed=0),
    ],
    ids=["seeded", "subset", "concatenated", "repeated", "nested"],
)
def test_wrapped_datasets_have_the_ids_of_their_samples(wrapped: Dataset) -> None:
    """A wrapper would hide an overlap."""
    assert set(sample_ids(wrapped)) == {"a", "b"}


def test_a_dataset_without_ids_is_an_error_with_its_name() -> None:
    """The splits of a plugin would not be compared."""

    class Nameless(Dataset):
        def __len__(self) -> int:
            return 1

    with pytest.raises(ConfigError, match=r"Nameless has no sample_id\(index\)"):
        check_disjoint({"train": Nameless(), "test": Ids("a")})


@pytest.mark.parametrize(
    ("dataset", "named"),
    [
        ({"type": "ToyWaves", "split": "test"}, True),
        ({"type": "RepeatDataset", "dataset": {"split": "test"}}, True),
        ({"type": "ConcatDataset", "datasets": [{"split": "val"}, {"split": "test"}]}, True),
        ({"type": "ToyWaves", "split": "val"}, False),
        (toy.ToyWaves(split="test"), True),
        (None, False),
    ],
)
def test_the_test_split_is_recognised_in_the_config(dataset: Any, named: bool) -> None:
    """The exception would not apply to wrapped sets, or to all sets."""
    assert names_test_split(dataset) is named


def test_a_run_with_overlapping_splits_does_not_begin(tmp_path: Path) -> None:
    """The mistake would be found after the training, or never."""
    options = {"val_dataloader.dataset.split": "train"}
    message = r"train_dataloader and val_dataloader share 7 samples \(train-00000, "
    with pytest.raises(ConfigError, match=message):
        build(toy.config(tmp_path, **options))


def test_validation_on_the_test_split_is_a_warning_in_the_log(tmp_path: Path) -> None:
    """The score of such a run would be compared with scores of other protocols."""
    build(toy.config(tmp_path, log_level="INFO"))
    (log,) = tmp_path.rglob("*.log")
    assert "validation uses samples of the test split" in log.read_text()
