"""Laws that every registered method keeps with every net of its interface."""

from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.methods.base import LabelMethod, Method
from openstl_ext.registry import METHODS, MODELS, Registry
from openstl_ext.structures import Sample
from tests.toy_net import toy_net

METHODS.import_from_location()
MODELS.import_from_location()


def ours(registry: Registry) -> list[Any]:
    """What the package registers; other tests may have registered toys of their own."""
    classes = (cls for _, cls in sorted(registry.module_dict.items()))
    return [cls for cls in classes if cls.__module__.startswith("openstl_ext.")]


PAIRS = [
    pytest.param(method, net, id=f"{method.__name__}-{net.__name__}")
    for method in ours(METHODS)
    for net in ours(MODELS)
    if getattr(net, "interface", None) is getattr(method, "interface", None) is not None
]
LEARNING = [p for p in PAIRS if list(p.values[0].toy(toy_net(p.values[1])).parameters())]
FORECASTING = [p for p in PAIRS if not issubclass(p.values[0], LabelMethod)]


def scrambled(field: Tensor) -> Tensor:
    """Other values of the same type and shape, be they frames, labels or gaps."""
    return ~field if field.dtype == torch.bool else 1 - field


def said(sample: Sample) -> list[str]:
    """Fields of a sample that the method made up; there is at least one."""
    fields = [name for name in sample if name not in ("target", "valid", "last")]
    assert fields
    return fields


def built(method: Any, net: Any) -> Method:
    torch.manual_seed(0)
    return method.toy(toy_net(net))


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_prediction_ignores_the_truth(method: Any, net: Any) -> None:
    """If this fails, every score of the method is a fiction."""
    toy = built(method, net).eval()
    batch = toy.toy_batch(size=2)
    honest = toy(**batch, mode="predict")

    batch["data_samples"] = {k: scrambled(v) for k, v in batch["data_samples"].items()}
    blind = toy(**batch, mode="predict")

    for before, after in zip(honest, blind, strict=True):
        for field in said(before):
            torch.testing.assert_close(before[field], after[field], rtol=0, atol=0)


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_a_batch_is_its_samples(method: Any, net: Any) -> None:
    """A forecast that depends on its neighbours in the batch cannot be reproduced alone."""
    toy = built(method, net).eval()
    batch = toy.toy_batch(size=3)
    together = toy(**batch, mode="predict")
    for i, sample in enumerate(together):
        one = {side: {k: v[i : i + 1] for k, v in f.items()} for side, f in batch.items()}
        (alone,) = toy(**one, mode="predict")
        for field in said(sample):
            torch.testing.assert_close(sample[field], alone[field], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("method", "net"), LEARNING)
def test_a_method_can_learn_at_all(method: Any, net: Any) -> None:
    """A detached graph or a wrong sign trains for a week and learns nothing."""
    # the few weights of a linear net have far to go
    assert any(halved(built(method, net), learning_rate=rate) for rate in (1e-2, 1.0))


def halved(toy: Method, *, learning_rate: float) -> bool:
    """Whether thirty steps on one batch cut the loss by half."""
    batch = toy.train().data_preprocessor(toy.toy_batch(size=4), training=True)
    optimizer = torch.optim.Adam(toy.parameters(), lr=learning_rate)
    losses = []
    for iteration in range(30):
        toy.iteration = iteration
        total = sum(v for k, v in toy(**batch, mode="loss").items() if k.startswith("loss_"))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    return min(losses[-5:]) < 0.5 * losses[0]


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_bf16_autocast_answers_in_float32(method: Any, net: Any) -> None:
    """Metrics of rounded forecasts would measure the rounding."""
    toy = built(method, net).eval()
    batch = toy.toy_batch(size=2)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        samples = toy(**batch, mode="predict")
    answers = [s[field] for s in samples for field in said(s) if field != "labels"]
    assert all(a.dtype == torch.float32 for a in answers)
    assert all(a.isfinite().all() for a in answers)


@pytest.mark.parametrize(("method", "net"), FORECASTING)
@pytest.mark.parametrize("horizon", [1, 3, 4, 7])
def test_any_horizon_can_be_asked_for(method: Any, net: Any, horizon: int) -> None:
    """The horizon is in the data; a net's own block length must not be in the way."""
    toy = built(method, net).eval()
    inputs = toy.toy_batch(size=2)["inputs"]
    if toy.max_horizon is not None and horizon >= toy.max_horizon:
        with pytest.raises(ShapeError, match=f"{toy.max_horizon} horizons"):
            toy.answer(inputs, horizon=toy.max_horizon + 1)
        return
    with torch.no_grad():
        forecast = toy.answer(inputs, horizon=horizon)["forecast"]
        longer = toy.answer(inputs, horizon=horizon + 1)["forecast"]
    assert forecast.shape == (2, horizon, *inputs["frames"].shape[2:])
    # what is said of the next frames does not depend on how many are asked for
    torch.testing.assert_close(forecast, longer[:, :horizon], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_every_parameter_takes_part(method: Any, net: Any) -> None:
    """A dead parameter inflates the table and breaks DDP."""
    toy = built(method, net).train()
    batch = toy.data_preprocessor(toy.toy_batch(size=2), training=True)
    terms = [v for k, v in toy(**batch, mode="loss").items() if k.startswith("loss_")]
    if any(term.requires_grad for term in terms):
        sum(terms).backward()
    dead = [name for name, p in toy.named_parameters() if p.requires_grad and p.grad is None]
    assert not dead
