"""Pinball loss, compared with its formula."""

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pinball import Pinball


def test_it_equals_its_formula() -> None:
    """With swapped sides, the lower end of an interval would be the upper end."""
    predicted, target = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])
    assert Pinball(quantile=0.9)(predicted, target).item() == pytest.approx((0.9 + 0.1 * 2) / 2)
    assert Pinball(quantile=0.5)(predicted, target).item() == pytest.approx((1 + 2) / 4)


@pytest.mark.parametrize("quantile", [0.025, 0.5, 0.975])
def test_its_minimum_is_the_quantile(quantile: float) -> None:
    """The ends of an interval would be other quantiles than configured."""
    target = torch.randperm(999, generator=torch.Generator().manual_seed(0)).float()
    losses = [Pinball(quantile=quantile)(torch.full((999,), float(c)), target) for c in range(999)]
    assert int(torch.stack(losses).argmin()) == int(quantile * 999)


def test_a_quantile_outside_0_to_1_is_rejected() -> None:
    """With 95 instead of 0.95 the prediction would diverge."""
    with pytest.raises(ConfigError, match="95"):
        Pinball(quantile=95)
