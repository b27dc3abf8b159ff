"""The window that criteria look through."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext.losses.gaussian import blur, gaussian_weights


@pytest.mark.parametrize(("size", "padding"), [(11, 0), (5, 2), (3, 1)])
def test_a_blur_is_a_convolution(size: int, padding: int) -> None:
    """The band matrices are a matter of speed, and of nothing else."""
    maps = torch.rand(3, 1, 17, 12, generator=torch.Generator().manual_seed(0)).double()
    weights = gaussian_weights(size, 1.3).double()
    window = torch.outer(weights, weights).view(1, 1, size, size)
    expected = F.conv2d(maps, window, padding=padding)
    torch.testing.assert_close(blur(maps, weights, padding=padding), expected)


def test_weights_sum_to_one_and_fall_off_as_a_normal_density() -> None:
    """Weights of another sum would change the level of what is blurred."""
    weights = gaussian_weights(5, 1.0)
    assert weights.sum().item() == pytest.approx(1)
    assert (weights[2] / weights[0]).item() == pytest.approx(torch.tensor(2.0).exp().item())
