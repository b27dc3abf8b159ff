"""What all datasets share."""

import pytest

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.errors import ConfigError


@pytest.mark.parametrize("fraction", [0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("length", [1, 9, 100])
def test_train_and_validation_share_no_window_and_lose_none(length: int, fraction: float) -> None:
    """If this fails, the best weights are chosen on what was trained on."""
    numbers = list(range(length))
    train, val = (numbers[SequenceDataset.split_window(length, s, fraction)] for s in ("train", "val"))
    assert train + val == numbers
    assert len(val) == round(length * fraction)
    assert numbers[SequenceDataset.split_window(length, "test", fraction)] == numbers


def test_a_misspelt_split_is_answered_with_the_nearest() -> None:
    """If this fails, `validation` silently reads another split."""
    with pytest.raises(ConfigError, match="did you mean 'train'"):
        SequenceDataset.check_split("trian")
    with pytest.raises(ConfigError, match="val_fraction"):
        SequenceDataset.split_window(3, "train", 1.0)
