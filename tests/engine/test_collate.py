"""Stacking items into a batch."""

import pytest
import torch

from openstl_ext.engine.collate import collate
from openstl_ext.errors import DataError
from openstl_ext.structures import Item


def item(side: int = 4, **targets: torch.Tensor) -> Item:
    return {"inputs": {"frames": torch.zeros(2, 1, side, side)}, "data_samples": dict(targets)}


def test_samples_are_stacked_along_a_new_first_axis() -> None:
    """Methods would get other shapes than (B, T, C, H, W)."""
    batch = collate([item(labels=torch.tensor(1)), item(labels=torch.tensor(2))])
    assert batch["inputs"]["frames"].shape == (2, 2, 1, 4, 4)
    assert batch["data_samples"]["labels"].tolist() == [1, 2]


def test_a_field_that_only_some_samples_have_is_named() -> None:
    """The field would be dropped without a message."""
    with pytest.raises(DataError, match=r"data_samples.valid: sample 0 has none, sample 1 has bo"):
        collate([item(), item(valid=torch.ones(1, dtype=torch.bool))])


def test_different_shapes_are_an_error_with_the_field() -> None:
    """The message would not name the field."""
    with pytest.raises(DataError, match=r"frames: sample 0 has float32 \(2, 1, 4, 4\), sample 1"):
        collate([item(), item(side=5)])
