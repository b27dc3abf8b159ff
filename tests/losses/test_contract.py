"""Laws that every criterion of frames keeps."""

import math

import pytest
import torch
from torch import nn

from openstl_ext.registry import LOSSES
from tests.losses.masked_fields import fields, judged

LOSSES.import_from_location()
ARGUMENTS = {"Pinball": {"quantile": 0.3}, "Sum": {"terms": [{"type": "L1"}, {"type": "L2"}]}}
NAMES = (
    *("L1", "L2", "Sum", "Pinball"),
    *("LaplacianPyramid", "ChangeHistogram", "StructuralDissimilarity"),
)


def built(name: str) -> nn.Module:
    return LOSSES.build({"type": name, **ARGUMENTS.get(name, {})})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filler", [math.nan, math.inf, -9999.0])
def test_what_lies_in_a_gap_moves_neither_value_nor_gradient(name: str, filler: float) -> None:
    """One NaN of the truth, or of a net at a place without truth, would end the training."""
    value, gradient = judged(built(name), filler)
    honest_value, honest_gradient = judged(built(name), 0.5)
    assert torch.equal(value, honest_value)
    assert torch.equal(gradient, honest_gradient)
    assert gradient[~fields()[2]].eq(0).all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_valid_is_zero_with_a_graph(name: str) -> None:
    """A batch of open sea must pass backward and leave the weights alone."""
    prediction, target, valid = fields()
    prediction.requires_grad_()
    value = built(name)(prediction, target * torch.nan, torch.zeros_like(valid))
    value.backward()
    assert value.item() == 0
    assert prediction.grad is not None
    assert prediction.grad.eq(0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_costs_nothing(name: str) -> None:
    """A floor under the loss hides how far a net still is from the truth."""
    _, target, valid = fields()
    assert built(name)(target, target, valid).item() == pytest.approx(0, abs=1e-6)
    assert built(name)(target, target).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_all_valid_is_as_good_as_no_mask(name: str) -> None:
    """Data that come without a mask must not be judged by another formula."""
    prediction, target, valid = fields()
    whole = built(name)(prediction, target, torch.ones_like(valid))
    torch.testing.assert_close(whole, built(name)(prediction, target))


@pytest.mark.parametrize("name", NAMES)
def test_a_criterion_is_in_float32_under_autocast(name: str) -> None:
    """Moments that were rounded to bf16 give a similarity of noise."""
    prediction, target, valid = fields()
    exact = built(name)(prediction.bfloat16().float(), target, valid)
    with torch.autocast("cpu", torch.bfloat16):
        found = built(name)(prediction.bfloat16(), target, valid)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-6)
