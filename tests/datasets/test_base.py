"""Base class of the datasets."""

from pathlib import Path

import pytest

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.errors import ConfigError
from openstl_ext.structures import Item, Metainfo


class Unnamed(SequenceDataset):
    """Three samples without an identity."""

    metainfo = Metainfo(name="unnamed", channels=("a",))

    def __init__(self, *, split: str = "") -> None:
        self.split = split

    @classmethod
    def make_toy(cls, root: Path) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Item:
        raise NotImplementedError


@pytest.mark.parametrize("fraction", [0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("length", [1, 9, 100])
def test_train_and_validation_are_disjoint_and_complete(length: int, fraction: float) -> None:
    """The best checkpoint would be chosen on training samples."""
    numbers = list(range(length))
    train, val = (
        numbers[SequenceDataset.split_window(length, s, fraction)] for s in ("train", "val")
    )
    assert train + val == numbers
    assert len(val) == round(length * fraction)
    assert numbers[SequenceDataset.split_window(length, "test", fraction)] == numbers


def test_unknown_splits_and_fractions_are_rejected() -> None:
    """`validation` would read another split."""
    with pytest.raises(ConfigError, match="did you mean 'train'"):
        SequenceDataset.check_split("trian")
    with pytest.raises(ConfigError, match="val_fraction"):
        SequenceDataset.split_window(3, "train", 1.0)


def test_the_default_sample_id_begins_with_the_split() -> None:
    """Unrelated samples of two splits would have one name, and would be reported as an overlap."""
    assert Unnamed(split="val").sample_id(2) == "val-00002"
    with pytest.raises(ConfigError, match=r"Unnamed has no sample ids; set self\.split"):
        Unnamed().sample_id(0)


def test_without_rasters_and_years_the_defaults_apply() -> None:
    """Callers would have to test whether a dataset has these methods."""
    with pytest.raises(ConfigError, match="opens no rasters, so map cannot be mapped"):
        Unnamed.scene(Path("map"), {})
    assert Unnamed(split="val").target_names(0) == []
