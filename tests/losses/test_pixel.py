"""Criteria, by hand."""

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.registry import LOSSES

PREDICTION = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
TARGET = torch.tensor([[0.0, 2.0], [1.0, 7.0]])


@pytest.mark.parametrize(("name", "expected"), [("L2", (1 + 0 + 4 + 9) / 4), ("L1", 6 / 4)])
def test_a_criterion_equals_its_formula(name: str, expected: float) -> None:
    """A wrong mean changes every learning rate."""
    assert LOSSES.build({"type": name})(PREDICTION, TARGET).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["L2", "L1"])
def test_a_gap_reaches_neither_the_loss_nor_the_gradient(name: str) -> None:
    """One NaN pixel of the truth would otherwise end the training."""
    target = TARGET.clone()
    target[1, 1] = torch.nan
    valid = target.isfinite()
    prediction = PREDICTION.clone().requires_grad_()
    loss = LOSSES.build({"type": name})(prediction, target, valid)
    loss.backward()
    assert loss.item() == pytest.approx({"L2": 5 / 3, "L1": 1.0}[name])
    assert prediction.grad.isfinite().all()
    assert prediction.grad[1, 1] == 0


def test_nothing_valid_means_nothing_to_learn() -> None:
    """A batch of clouds must not turn the weights to NaN."""
    valid = torch.zeros(2, 2, dtype=torch.bool)
    assert LOSSES.build({"type": "L2"})(PREDICTION, TARGET * torch.nan, valid) == 0


def test_a_sum_weighs_its_terms() -> None:
    """The published recipes add L1 and L2."""
    terms = [{"type": "L2"}, {"type": "L1"}]
    both = LOSSES.build({"type": "Sum", "terms": terms, "weights": [1.0, 0.5]})
    assert both(PREDICTION, TARGET).item() == pytest.approx(14 / 4 + 0.5 * 6 / 4)
    with pytest.raises(ConfigError, match="2 terms and 1 weights"):
        LOSSES.build({"type": "Sum", "terms": terms, "weights": [1.0]})
