"""Gaussian windows."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext.losses.gaussian import blur, gaussian_weights


@pytest.mark.parametrize(("size", "padding"), [(11, 0), (5, 2), (3, 1)])
def test_a_blur_equals_a_convolution(size: int, padding: int) -> None:
    """The faster computation would give other values."""
    maps = torch.rand(3, 1, 17, 12, generator=torch.Generator().manual_seed(0)).double()
    weights = gaussian_weights(size, 1.3).double()
    window = torch.outer(weights, weights).view(1, 1, size, size)
    expected = F.conv2d(maps, window, padding=padding)
    torch.testing.assert_close(blur(maps, weights, padding=padding), expected)


def test_weights_sum_to_one_and_follow_a_normal_density() -> None:
    """A blur would change the mean of a map."""
    weights = gaussian_weights(5, 1.0)
    assert weights.sum().item() == pytest.approx(1)
    assert (weights[2] / weights[0]).item() == pytest.approx(torch.tensor(2.0).exp().item())
