"""Pixel-wise losses and their sum, compared with their formulas."""

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.registry import LOSSES

PREDICTION = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
TARGET = torch.tensor([[0.0, 2.0], [1.0, 7.0]])


@pytest.mark.parametrize(("name", "expected"), [("L2", (1 + 0 + 4 + 9) / 4), ("L1", 6 / 4)])
def test_a_loss_equals_its_formula(name: str, expected: float) -> None:
    """Another mean would change the effect of every learning rate."""
    assert LOSSES.build({"type": name})(PREDICTION, TARGET).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["L2", "L1"])
def test_an_invalid_pixel_reaches_neither_the_loss_nor_the_gradient(name: str) -> None:
    """One NaN pixel in a target would end the training."""
    target = TARGET.clone()
    target[1, 1] = torch.nan
    valid = target.isfinite()
    prediction = PREDICTION.clone().requires_grad_()
    loss = LOSSES.build({"type": name})(prediction, target, valid)
    loss.backward()
    assert loss.item() == pytest.approx({"L2": 5 / 3, "L1": 1.0}[name])
    assert prediction.grad.isfinite().all()
    assert prediction.grad[1, 1] == 0


def test_a_batch_without_valid_pixels_has_zero_loss() -> None:
    """A batch of clouds would set the weights to NaN."""
    valid = torch.zeros(2, 2, dtype=torch.bool)
    assert LOSSES.build({"type": "L2"})(PREDICTION, TARGET * torch.nan, valid) == 0


def test_a_sum_multiplies_each_term_by_its_weight() -> None:
    """Published recipes that add L1 and L2 would train with another loss."""
    terms = [{"type": "L2"}, {"type": "L1"}]
    both = LOSSES.build({"type": "Sum", "terms": terms, "weights": [1.0, 0.5]})
    assert both(PREDICTION, TARGET).item() == pytest.approx(14 / 4 + 0.5 * 6 / 4)
    with pytest.raises(ConfigError, match="2 terms and 1 weights"):
        LOSSES.build({"type": "Sum", "terms": terms, "weights": [1.0]})
