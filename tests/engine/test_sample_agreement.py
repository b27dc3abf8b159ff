"""Training and evaluation have samples of the same form."""

from typing import Any

import pytest
import torch

from openstl_ext.engine.sample_agreement import check_samples
from openstl_ext.errors import ConfigError

OVERRIDE = ["train_dataloader.dataset.num_targets=5"]


def samples(num_inputs: int = 10, num_targets: int = 10, size: int = 8, channels: int = 1) -> Any:
    """Return a set of one sample."""
    frames = torch.zeros(num_inputs + num_targets, channels, size, size)
    inputs = {"frames": frames[:num_inputs], "seed": torch.tensor(0)}
    return [{"inputs": inputs, "data_samples": {"frames": frames[num_inputs:]}}]


@pytest.mark.parametrize(
    ("train", "fixed", "overrides"),
    [
        ({"num_targets": 5}, True, []),
        ({"num_targets": 5}, False, OVERRIDE),
        ({"num_inputs": 5}, False, []),
        ({"channels": 3}, False, []),
    ],
)
def test_other_inputs_or_another_horizon_are_an_error(
    train: dict[str, int], fixed: bool, overrides: list[str]
) -> None:
    """A net would be trained on five frames and evaluated on ten, without a word."""
    sets = {"train": samples(**train), "val": samples(), "test": samples()}
    with pytest.raises(ConfigError, match="give the dataset of all loaders the same arguments"):
        check_samples(sets, overrides, has_fixed_horizon=fixed)


@pytest.mark.parametrize("train", [{"num_targets": 1}, {"size": 4}])
def test_a_config_may_train_on_shorter_or_smaller_samples(train: dict[str, int]) -> None:
    """A recipe that trains one step and evaluates four would be refused, or not stated."""
    sets = {"train": samples(**train), "val": samples()}
    difference = check_samples(sets, [], has_fixed_horizon=False)
    assert difference is not None
    assert "of shape" in difference
    assert check_samples({"train": samples(), "val": samples()}, [], has_fixed_horizon=True) is None
    assert check_samples({"test": samples()}, [], has_fixed_horizon=True) is None
