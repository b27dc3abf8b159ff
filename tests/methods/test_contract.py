"""Contract tests: every registered method with every net that provides its interface."""

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import provides
from openstl_ext.methods.base import Method
from openstl_ext.registry import METHODS, MODELS, Registry
from openstl_ext.structures import Sample
from tests.second_device import moved, second_device
from tests.toys import toy_method

METHODS.import_from_location()
MODELS.import_from_location()

TARGETS = {"target", "valid", "weight", "last"}
"""Fields of a sample that are not predicted."""


def own_classes(registry: Registry) -> list[Any]:
    """Return the classes of this package; other tests may have registered toys of their own."""
    classes = (cls for _, cls in sorted(registry.module_dict.items()))
    return [cls for cls in classes if cls.__module__.startswith("openstl_ext.")]


PAIRS = [
    pytest.param(method, net, id=f"{method.__name__}-{net.__name__}")
    for method in own_classes(METHODS)
    if issubclass(method, Method)
    for net in own_classes(MODELS)
    if provides(net, method.interface)
]
PREDICTING = [p for p in PAIRS if p.values[0].answers is not None]
FORECASTING = [p for p in PAIRS if p.values[0].answers == "frames"]
LEARNING = [p for p in PAIRS if any(w.requires_grad for w in toy_method(*p.values).parameters())]


def scramble(field: Tensor) -> Tensor:
    """Return other values of the same type and shape, for frames, labels and masks."""
    return ~field if field.dtype == torch.bool else 1 - field


def predicted(sample: Sample) -> list[str]:
    """Return the names of the predicted fields of a sample; there is at least one."""
    fields = [name for name in sample if name not in TARGETS]
    assert fields
    return fields


def built(method: Any, net: Any) -> Method:
    torch.manual_seed(0)
    return toy_method(method, net)


def evaluation_batch(toy: Method, size: int) -> dict[str, dict[str, Tensor]]:
    """Return a toy batch with a seed for each sample, as in evaluation."""
    batch = toy.toy_batch(size)
    batch["inputs"]["seed"] = torch.arange(size)
    return batch


@pytest.mark.parametrize(
    ("method", "net"), [p for p in FORECASTING if p.values[0].forecast_arguments]
)
def test_arguments_of_forecasts_do_not_act_in_the_training(method: Any, net: Any) -> None:
    """A test with another value would be one of weights that were trained otherwise."""
    fixed, batch = built(method, net), built(method, net).toy_batch(2)
    arguments = method.toy_arguments(fixed.net)
    given = {name: arguments[name] for name in method.forecast_arguments if name in arguments}
    assert given
    other = method(**{**arguments, **{name: value + 1 for name, value in given.items()}})
    inputs, targets = batch["inputs"], batch["data_samples"]
    losses = []
    for toy in (fixed, other):
        torch.manual_seed(1)
        losses.append(sum(toy.loss(inputs, targets).values()))
    assert torch.equal(*losses)
    assert fixed.state_dict().keys() == other.state_dict().keys()
    assert set(method.forecast_arguments) <= set(inspect.signature(method).parameters)


@pytest.mark.parametrize(("method", "net"), PREDICTING)
def test_prediction_does_not_depend_on_the_targets(method: Any, net: Any) -> None:
    """Scores are invalid if targets can influence the prediction."""
    toy = built(method, net).eval()
    batch = evaluation_batch(toy, 2)
    reference = toy(**batch, mode="predict")

    batch["data_samples"] = {k: scramble(v) for k, v in batch["data_samples"].items()}
    scrambled = toy(**batch, mode="predict")

    for before, after in zip(reference, scrambled, strict=True):
        for field in predicted(before):
            torch.testing.assert_close(before[field], after[field], rtol=0, atol=0)


@pytest.mark.parametrize(("method", "net"), PREDICTING)
def test_a_prediction_does_not_depend_on_the_batch(method: Any, net: Any) -> None:
    """Scores would depend on the batch size."""
    toy = built(method, net).eval()
    batch = evaluation_batch(toy, 3)
    together = toy(**batch, mode="predict")
    for i, sample in enumerate(together):
        one = {side: {k: v[i : i + 1] for k, v in f.items()} for side, f in batch.items()}
        (alone,) = toy(**one, mode="predict")
        for field in predicted(sample):
            torch.testing.assert_close(sample[field], alone[field], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("method", "net"), LEARNING)
def test_a_method_learns_one_batch(method: Any, net: Any) -> None:
    """A detached graph or a wrong sign would not be noticed before a long training."""
    # the few weights of a linear net need a larger step
    assert any(halved(built(method, net), learning_rate=rate) for rate in (1e-2, 1.0))


def halved(toy: Method, *, learning_rate: float) -> bool:
    """Return whether thirty steps on one batch halve the loss."""
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


@pytest.mark.parametrize(("method", "net"), PREDICTING)
def test_predictions_under_bf16_autocast_are_float32(method: Any, net: Any) -> None:
    """Metrics would include the rounding of the forecast."""
    toy = built(method, net).eval()
    batch = evaluation_batch(toy, 2)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        samples = toy(**batch, mode="predict")
    answers = [s[field] for s in samples for field in predicted(s) if field != "labels"]
    assert all(a.dtype == torch.float32 for a in answers)
    assert all(a.isfinite().all() for a in answers)


@pytest.mark.parametrize(("method", "net"), FORECASTING)
@pytest.mark.parametrize("horizon", [1, 3, 4, 7])
def test_the_first_frames_do_not_depend_on_the_horizon(method: Any, net: Any, horizon: int) -> None:
    """Scores of one lead could not be compared between benchmarks of different horizons."""
    toy = built(method, net).eval()
    inputs = evaluation_batch(toy, 2)["inputs"]
    if toy.max_horizon is not None and horizon >= toy.max_horizon:
        with pytest.raises(ShapeError, match=f"{toy.max_horizon}"):
            toy.answer(inputs, horizon=toy.max_horizon + 1)
        return
    with torch.no_grad():
        forecast = toy.answer(inputs, horizon=horizon)["forecast"]
        longer = toy.answer(inputs, horizon=horizon + 1)["forecast"]
    assert forecast.shape == (2, horizon, *inputs["frames"].shape[2:])
    torch.testing.assert_close(forecast, longer[:, :horizon], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_every_parameter_has_a_gradient(method: Any, net: Any) -> None:
    """An unused parameter is counted in the table and stops DDP."""
    toy = built(method, net).train()
    batch = toy.data_preprocessor(toy.toy_batch(size=2), training=True)
    terms = [v for k, v in toy(**batch, mode="loss").items() if k.startswith("loss_")]
    if any(term.requires_grad for term in terms):
        sum(terms).backward()
    dead = [name for name, p in toy.named_parameters() if p.requires_grad and p.grad is None]
    assert not dead


@pytest.mark.parametrize(("method", "net"), PAIRS)
def test_the_loss_is_the_same_on_another_device(method: Any, net: Any) -> None:
    """Training on a GPU would end with tensors on two devices."""
    here, there = built(method, net), built(method, net)
    batch = here.data_preprocessor(here.toy_batch(2), training=True)
    torch.manual_seed(1)
    expected = here(**batch, mode="loss")
    with second_device():
        there.to("cuda")
        torch.manual_seed(1)
        found = there(**moved(batch), mode="loss")
        total = sum(v for k, v in found.items() if k.startswith("loss_"))
        assert isinstance(total, Tensor)
        assert total.is_cuda
        if total.requires_grad:
            total.backward()
        assert all(w.grad.is_cuda for w in there.parameters() if w.grad is not None)
        found = {name: value.detach().cpu() for name, value in found.items()}
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("method", "net"), PREDICTING)
def test_predictions_are_the_same_on_another_device(method: Any, net: Any) -> None:
    """A test on a GPU would end with tensors on two devices, or draw other members."""
    here, there = built(method, net).eval(), built(method, net).eval()
    batch = evaluation_batch(here, 2)
    expected = here(**batch, mode="predict")
    with second_device(), torch.no_grad():
        found = there.to("cuda")(**moved(batch), mode="predict")
        assert all(s[field].is_cuda for s in found for field in predicted(s))
        found = [{name: value.cpu() for name, value in s.items()} for s in found]
    for sample, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, dict(sample), rtol=1e-5, atol=1e-5, equal_nan=True)
