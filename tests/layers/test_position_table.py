"""Positions of patches."""

import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.position_table import resized_positions, sincos_positions


def test_columns_come_first_and_the_class_token_has_none() -> None:
    """Released weights would see an image mirrored at its diagonal."""
    table = sincos_positions(8, 2, 3)[0]
    assert table.shape == (7, 8)
    assert table[0].tolist() == [0] * 8
    grid = table[1:].unflatten(0, (2, 3))
    torch.testing.assert_close(grid[0, :, :4], grid[1, :, :4])  # equal columns
    torch.testing.assert_close(grid[:, 0, 4:], grid[:, 2, 4:])  # equal rows
    expected = torch.tensor([2.0, 0.02]).double()
    torch.testing.assert_close(grid[0, 2, :2].double(), expected.sin())
    torch.testing.assert_close(grid[0, 2, 2:4].double(), expected.cos())


def test_the_own_size_is_returned_unchanged_and_others_keep_constants() -> None:
    """An image of the size of the training would have other positions."""
    table = torch.randn(1, 17, 4)
    assert resized_positions(table, 4, 4) is table
    constant = torch.full((1, 17, 4), 0.5)
    torch.testing.assert_close(resized_positions(constant, 6, 3), torch.full((1, 19, 4), 0.5))


def test_mistakes_are_named() -> None:
    """A wrong width or table would end in a traceback of torch."""
    with pytest.raises(ConfigError, match="multiple of 4, got 6"):
        sincos_positions(6, 2, 2)
    with pytest.raises(ShapeError, match="5 positions are not those of a square grid"):
        resized_positions(torch.zeros(1, 6, 4), 2, 2)
