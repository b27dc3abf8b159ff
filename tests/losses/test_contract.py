"""Contract of every loss between frames."""

import math

import pytest
import torch
from torch import nn

from openstl_ext.losses import classification, overlap
from openstl_ext.registry import LOSSES
from tests.losses.masked_fields import fields, value_and_gradient

LOSSES.import_from_location()
ARGUMENTS = {"Pinball": {"quantile": 0.3}, "Sum": {"terms": [{"type": "L1"}, {"type": "L2"}]}}
NAMES = sorted(
    name
    for name, cls in LOSSES.module_dict.items()
    if cls.__module__.startswith("openstl_ext.losses.")
    and cls.__module__ not in (overlap.__name__, classification.__name__)
)
"""All registered losses between frames; the others compare logits with labels."""


def built(name: str) -> nn.Module:
    return LOSSES.build({"type": name, **ARGUMENTS.get(name, {})})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filler", [math.nan, math.inf, -9999.0])
def test_values_in_invalid_pixels_change_neither_value_nor_gradient(
    name: str, filler: float
) -> None:
    """One NaN in a target, or in a prediction without target, would end the training."""
    value, gradient = value_and_gradient(built(name), filler)
    expected_value, expected_gradient = value_and_gradient(built(name), 0.5)
    assert torch.equal(value, expected_value)
    assert torch.equal(gradient, expected_gradient)
    assert gradient[~fields()[2]].eq(0).all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_without_valid_pixels_has_zero_loss_and_gradient(name: str) -> None:
    """A batch without data would fail in the backward pass or change the weights."""
    prediction, target, valid = fields()
    prediction.requires_grad_()
    value = built(name)(prediction, target * torch.nan, torch.zeros_like(valid))
    value.backward()
    assert value.item() == 0
    assert prediction.grad is not None
    assert prediction.grad.eq(0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_prediction_has_zero_loss(name: str) -> None:
    """A constant in the loss would hide how large the errors are."""
    _, target, valid = fields()
    assert built(name)(target, target, valid).item() == pytest.approx(0, abs=1e-6)
    assert built(name)(target, target).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_an_all_valid_mask_equals_no_mask(name: str) -> None:
    """Data without a mask would be trained with another loss."""
    prediction, target, valid = fields()
    masked = built(name)(prediction, target, torch.ones_like(valid))
    torch.testing.assert_close(masked, built(name)(prediction, target))


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_is_float32_under_autocast(name: str) -> None:
    """Moments rounded to bf16 are too inaccurate."""
    prediction, target, valid = fields()
    exact = built(name)(prediction.bfloat16().float(), target, valid)
    with torch.autocast("cpu", torch.bfloat16):
        found = built(name)(prediction.bfloat16(), target, valid)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-6)
