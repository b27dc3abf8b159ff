"""The quantile criterion, in closed form."""

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pinball import Pinball


def test_it_is_its_formula() -> None:
    """Sides swapped, the lower end of an interval would be its upper one."""
    said, true = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])
    assert Pinball(quantile=0.9)(said, true).item() == pytest.approx((0.9 * 1 + 0.1 * 2) / 2)
    assert Pinball(quantile=0.5)(said, true).item() == pytest.approx((1 + 2) / 4)


@pytest.mark.parametrize("quantile", [0.025, 0.5, 0.975])
def test_its_minimum_is_the_quantile(quantile: float) -> None:
    """Of 999 numbers in order, the quantile is the one with so many below it."""
    truth = torch.randperm(999, generator=torch.Generator().manual_seed(0)).float()
    costs = [Pinball(quantile=quantile)(torch.full((999,), float(c)), truth) for c in range(999)]
    assert int(torch.stack(costs).argmin()) == int(quantile * 999)


def test_a_share_outside_of_one_is_refused() -> None:
    """95 instead of 0.95 would train a constant that runs away."""
    with pytest.raises(ConfigError, match="95"):
        Pinball(quantile=95)
