"""Losses for labels, compared with their formulas and finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.registry import LOSSES

LOGIT = torch.tensor([[[[2.0, -1.0], [0.0, 3.0]]]])
LABELS = torch.tensor([[[1, 1], [0, 0]]])
NAMES = ("BCEDice", "CrossEntropyDice")


def case(name: str, *, size: int = 2, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Draw random logits, one or three per pixel, and labels of as many classes."""
    draw = torch.Generator().manual_seed(0)
    number = 1 if name == "BCEDice" else 3
    logits = torch.randn(size, number, 4, 5, generator=draw, dtype=dtype)
    labels = torch.randint(max(2, number), (size, 4, 5), generator=draw)
    return logits, labels


def test_bce_dice_equals_its_formula() -> None:
    """Another form of the Dice would change the meaning of the published weights."""
    p = [1 / (1 + math.exp(-x)) for x in (2, -1, 0, 3)]
    bce = -(math.log(p[0]) + math.log(p[1]) + math.log(1 - p[2]) + math.log(1 - p[3])) / 4
    dice = (2 * (p[0] + p[1]) + 1e-6) / (sum(p) + 2 + 1e-6)
    loss = LOSSES.build({"type": "BCEDice"})(LOGIT, LABELS)
    assert loss.item() == pytest.approx(0.5 * bce + 0.5 * (1 - dice), rel=1e-6)
    weighted = LOSSES.build({"type": "BCEDice", "dice_weight": 0.0, "positive_weight": 3.0})
    expected = F.binary_cross_entropy_with_logits(
        LOGIT[:, 0], LABELS.float(), pos_weight=torch.tensor(3.0)
    )
    assert weighted(LOGIT, LABELS).item() == pytest.approx(0.5 * expected.item(), rel=1e-6)


def test_the_dice_is_computed_over_the_batch() -> None:
    """With a mean over samples, a patch without a site would count as much as one with many."""
    dice = LOSSES.build({"type": "BCEDice", "bce_weight": 0.0, "dice_weight": 1.0})
    logits, labels = torch.full((2, 1, 1, 2), 50.0), torch.tensor([[[1, 1]], [[0, 0]]])
    assert dice(logits, labels).item() == pytest.approx(1 - 2 * 2 / (4 + 2))


def test_cross_entropy_dice_equals_its_formula() -> None:
    """Class weights would not balance the classes."""
    logits, labels = case("CrossEntropyDice")
    labels[labels == 2] = 1  # a class without labels does not count in the Dice
    weights = [0.2, 1.0, 5.0]
    p = logits.softmax(dim=1)
    dice = [
        2 * p[:, k][labels == k].sum() / (p[:, k].sum() + (labels == k).sum()) for k in range(2)
    ]
    cross = F.cross_entropy(logits, labels, weight=torch.tensor(weights))
    expected = 0.3 * cross + 0.7 * (1 - sum(dice) / 2)
    loss = LOSSES.build(
        {"type": "CrossEntropyDice", "ce_weight": 0.3, "dice_weight": 0.7, "class_weights": weights}
    )
    assert loss(logits, labels).item() == pytest.approx(expected.item(), rel=1e-5)
    assert not loss.state_dict()


def test_two_logits_equal_one_logit_of_their_difference() -> None:
    """Nets with one and with two logits would minimise different losses."""
    logits, labels = case("BCEDice")
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    one = LOSSES.build({"type": "BCEDice", "dice_weight": 0.0})(logits, labels)
    two = LOSSES.build({"type": "CrossEntropyDice", "dice_weight": 0.0})(both, labels)
    assert one.item() == pytest.approx(two.item(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_equal_finite_differences(name: str) -> None:
    """With a cut graph, training would minimise something else."""
    logits, labels = case(name)
    valid = torch.rand(labels.shape, generator=torch.Generator().manual_seed(1)) < 0.7
    loss = LOSSES.build({"type": name})
    found = logits.clone().requires_grad_()
    loss(found, labels, valid).backward()
    step = 1e-2
    for place in ((0, 0, 0, 0), (1, 0, 2, 3), (0, -1, 3, 4)):
        above, below = logits.clone(), logits.clone()
        above[place] += step
        below[place] -= step
        slope = (loss(above, labels, valid) - loss(below, labels, valid)) / (2 * step)
        assert found.grad[place].item() == pytest.approx(slope.item(), abs=2e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("filler", [255, -1])
def test_invalid_labels_and_logits_reach_neither_the_loss_nor_the_gradient(
    name: str, filler: int
) -> None:
    """A label of 255 would stop training with an index error, or give a huge loss."""
    logits, labels = case(name)
    valid = torch.ones_like(labels, dtype=torch.bool)
    valid[1] = False
    loss = LOSSES.build({"type": name})
    expected = loss(logits[:1], labels[:1])
    logits[1, :, 0] = math.nan
    labels[1] = filler
    found = logits.clone().requires_grad_()
    value = loss(found, labels, valid)
    value.backward()
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    assert (found.grad[1] == 0).all()
    assert found.grad[0].isfinite().all()
    assert found.grad[0].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_without_valid_pixels_has_zero_loss_and_gradient(name: str) -> None:
    """Without a gradient on one rank, the other ranks of DDP would wait forever."""
    logits, labels = case(name)
    logits.requires_grad_()
    loss = LOSSES.build({"type": name})(logits, labels * 0 + 255, torch.zeros(2, 4, 5).bool())
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_background_is_finite(name: str) -> None:
    """Patches without a site, the most frequent ones, would give NaN."""
    logits, labels = case(name)
    logits.requires_grad_()
    loss = LOSSES.build({"type": name})(logits, labels * 0)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_sums_are_computed_in_float32(name: str) -> None:
    """Sums of many pixels in bfloat16 stop at 256."""
    logits, labels = case(name)
    loss = LOSSES.build({"type": name})
    with torch.autocast("cpu", torch.bfloat16):
        half = loss(logits.bfloat16(), labels)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss(logits.bfloat16().float(), labels).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "logits", "message"),
    [
        ("BCEDice", {}, (1, 3, 2, 2), "one logit, got 3; use CrossEntropyDice"),
        ("CrossEntropyDice", {}, (1, 1, 2, 2), "got one; use BCEDice"),
        ("CrossEntropyDice", {"class_weights": [1, 2]}, (1, 3, 2, 2), "3 class_weights, got 2"),
        ("BCEDice", {}, (1, 1, 2, 3), r"\(1, 1, 2, 3\) and \(1, 2, 2\)"),
        ("CrossEntropyDice", {}, (2, 3, 2, 2), r"\(2, 3, 2, 2\) and \(1, 2, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_rejected(
    name: str, arguments: dict, logits: tuple[int, ...], message: str
) -> None:
    """Broadcasting would train a wrong model."""
    with pytest.raises(ShapeError, match=message):
        LOSSES.build({"type": name, **arguments})(torch.zeros(logits), LABELS)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("BCEDice", {"bce_weight": -0.5}),
        ("BCEDice", {"bce_weight": 0.0, "dice_weight": 0.0}),
        ("BCEDice", {"positive_weight": -1.0}),
        ("CrossEntropyDice", {"ce_weight": -1.0}),
        ("CrossEntropyDice", {"class_weights": [1.0, -1.0]}),
    ],
)
def test_negative_weights_are_rejected(name: str, arguments: dict) -> None:
    """A minus sign in a config would train in the wrong direction."""
    with pytest.raises(ConfigError, match="weights must not be negative"):
        LOSSES.build({"type": name, **arguments})
