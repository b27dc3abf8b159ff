"""Criteria of labels, by hand and by their gradients."""

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
    """Random logits, one or three a pixel, and labels of as many classes."""
    draw = torch.Generator().manual_seed(0)
    number = 1 if name == "BCEDice" else 3
    logits = torch.randn(size, number, 4, 5, generator=draw, dtype=dtype)
    labels = torch.randint(max(2, number), (size, 4, 5), generator=draw)
    return logits, labels


def test_bce_dice_equals_its_formula() -> None:
    """A Dice of another form changes what the published half-and-half means."""
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


def test_the_dice_is_of_the_whole_batch() -> None:
    """A mean over samples would let a patch without a site cost as much as one with many."""
    dice = LOSSES.build({"type": "BCEDice", "bce_weight": 0.0, "dice_weight": 1.0})
    logits, labels = torch.full((2, 1, 1, 2), 50.0), torch.tensor([[[1, 1]], [[0, 0]]])
    assert dice(logits, labels).item() == pytest.approx(1 - 2 * 2 / (4 + 2))


def test_cross_entropy_dice_equals_its_formula() -> None:
    """Weights of classes that weigh something else would not balance them."""
    logits, labels = case("CrossEntropyDice")
    labels[labels == 2] = 1  # a class that the batch lacks has no part in the Dice
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


def test_two_logits_cost_what_their_difference_costs() -> None:
    """The two ways to say two classes must not differ in what they minimise."""
    logits, labels = case("BCEDice")
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    one = LOSSES.build({"type": "BCEDice", "dice_weight": 0.0})(logits, labels)
    two = LOSSES.build({"type": "CrossEntropyDice", "dice_weight": 0.0})(both, labels)
    assert one.item() == pytest.approx(two.item(), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_the_formula(name: str) -> None:
    """A graph cut anywhere still trains, on something else."""
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
def test_what_lies_in_a_gap_reaches_neither_the_loss_nor_the_gradient(
    name: str, filler: int
) -> None:
    """255 as an index ends the training, or on a GPU the process; as a number it is a huge loss."""
    logits, labels = case(name)
    valid = torch.ones_like(labels, dtype=torch.bool)
    valid[1] = False
    loss = LOSSES.build({"type": name})
    expected = loss(logits[:1], labels[:1])
    logits[1, :, 0] = math.nan
    labels[1] = filler
    found = logits.clone().requires_grad_()
    told = loss(found, labels, valid)
    told.backward()
    assert told.item() == pytest.approx(expected.item(), rel=1e-6)
    assert (found.grad[1] == 0).all()
    assert found.grad[0].isfinite().all()
    assert found.grad[0].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_without_truth_costs_nothing_and_moves_nothing(name: str) -> None:
    """Under DDP a rank that has no gradient at all would leave the others waiting."""
    logits, labels = case(name)
    logits.requires_grad_()
    loss = LOSSES.build({"type": name})(logits, labels * 0 + 255, torch.zeros(2, 4, 5).bool())
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_background_is_finite(name: str) -> None:
    """Patches without a site are most of a landscape."""
    logits, labels = case(name)
    logits.requires_grad_()
    loss = LOSSES.build({"type": name})(logits, labels * 0)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_left_before_anything_is_summed(name: str) -> None:
    """bfloat16 counts to 256: a sum of a million pixels in it is no sum."""
    logits, labels = case(name)
    loss = LOSSES.build({"type": name})
    with torch.autocast("cpu", torch.bfloat16):
        half = loss(logits.bfloat16(), labels)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(loss(logits.bfloat16().float(), labels).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "logits", "said"),
    [
        ("BCEDice", {}, (1, 3, 2, 2), "one logit, got 3: use CrossEntropyDice"),
        ("CrossEntropyDice", {}, (1, 1, 2, 2), "got one: use BCEDice"),
        ("CrossEntropyDice", {"class_weights": [1, 2]}, (1, 3, 2, 2), "2 class_weights, but 3"),
        ("BCEDice", {}, (1, 1, 2, 3), r"\(1, 1, 2, 3\) and \(1, 2, 2\)"),
        ("CrossEntropyDice", {}, (2, 3, 2, 2), r"\(2, 3, 2, 2\) and \(1, 2, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str, arguments: dict, logits: tuple[int, ...], said: str
) -> None:
    """Broadcasting would train on nonsense."""
    with pytest.raises(ShapeError, match=said):
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
def test_weights_that_reward_errors_are_refused(name: str, arguments: dict) -> None:
    """A minus sign in a config would train for a week in the wrong direction."""
    with pytest.raises(ConfigError, match="weights are not negative"):
        LOSSES.build({"type": name, **arguments})
