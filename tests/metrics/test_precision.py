"""Precision of every registered metric and loss for forecasts of any type."""

from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.metrics.multi_label import MultiLabelMetric
from openstl_ext.registry import LOSSES, METRICS
from openstl_ext.structures import Sample
from tests.metrics.label_samples import CLASSES, drawn_labels
from tests.metrics.samples import NEED_FILES, built, draw, evaluated, sample

METRICS.import_from_location()
LOSSES.import_from_location()
OURS = {
    name: cls
    for registry in (METRICS, LOSSES)
    for name, cls in registry.module_dict.items()
    if cls.__module__.startswith("openstl_ext.")
}
LABEL_METRICS = sorted(
    name
    for name, cls in OURS.items()
    if issubclass(cls, LabelMetric) and not issubclass(cls, MultiLabelMetric)
)
FRAME_METRICS = sorted(
    name
    for name, cls in OURS.items()
    if issubclass(cls, SampleMetric) and not issubclass(cls, LabelMetric) and name not in NEED_FILES
)
LOSS_NAMES = sorted(name for name, cls in OURS.items() if not issubclass(cls, SampleMetric))
LOSS_ARGUMENTS: dict[str, dict[str, Any]] = {
    "Pinball": {"quantile": 0.3},
    "Sum": {"terms": [{"type": "L1"}, {"type": "StructuralDissimilarity"}]},
}
HALVES = (torch.float16, torch.bfloat16)
FIELDS = ("forecast", "target", "last", "quantiles", "ensemble")


def close_samples() -> list[Sample]:
    """Return forecasts near their targets, around 0.9, where half precision has few digits."""
    samples = []
    for seed in range(3):
        target = 0.9 + 0.1 * draw(2, 1, 16, 16, seed=seed)
        made = sample(target + 0.01 * draw(2, 1, 16, 16, seed=seed + 50), target)
        made["quantiles"] = torch.stack([target - 0.02, target + 0.02])
        made["ensemble"] = target + 0.02 * draw(3, *target.shape, seed=seed + 90)
        made["quantile_levels"] = torch.tensor([0.025, 0.975])
        samples.append(made)
    return samples


def cast(samples: list[Sample], dtype: torch.dtype) -> list[Any]:
    return [{k: v.to(dtype) if k in FIELDS else v for k, v in s.items()} for s in samples]


@pytest.mark.parametrize("dtype", [torch.float32, *HALVES], ids=str)
@pytest.mark.parametrize("name", FRAME_METRICS)
def test_scores_equal_those_in_float64(name: str, dtype: torch.dtype) -> None:
    """Scores of half-precision forecasts would be wrong in the fourth digit."""
    metric = built(name)
    given = cast(close_samples(), dtype)
    exact = evaluated(metric, cast(given, torch.float64))
    assert evaluated(metric, given) == pytest.approx(exact, abs=1e-6, rel=1e-6)
    with torch.autocast("cpu", torch.bfloat16):
        assert evaluated(metric, given) == pytest.approx(exact, abs=1e-6, rel=1e-6)
        direct = [metric.measure(s).total.double() for s in given]
    expected = [metric.measure(s).total.double() for s in cast(given, torch.float64)]
    torch.testing.assert_close(direct, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", FRAME_METRICS)
def test_bytes_do_not_wrap_around(name: str) -> None:
    """A forecast of 3 for a target of 5 would have an error of 254."""
    metric = built(name)
    given = cast([{**s, **{k: 255 * s[k] for k in FIELDS}} for s in close_samples()], torch.uint8)
    exact = evaluated(metric, cast(given, torch.float64))
    assert evaluated(metric, given) == pytest.approx(exact, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", LABEL_METRICS)
def test_scores_of_labels_do_not_depend_on_the_type_of_probabilities(name: str) -> None:
    """Scores under half precision would differ."""
    metric, given = METRICS.build({"type": name, "classes": CLASSES}), drawn_labels(3)
    exact = evaluated(metric, given)
    for dtype in HALVES:
        halves = [{**s, "probability": s["probability"].to(dtype)} for s in given]
        assert evaluated(metric, halves) == exact


def arguments_of(name: str) -> tuple[Tensor, Tensor]:
    """Return predictions and targets for a loss."""
    if name in ("BCEDice", "CrossEntropy", "CrossEntropyDice"):
        logits = 4 * draw(2, 1 if name == "BCEDice" else 3, 8, 8)
        return logits, (2 * draw(2, 8, 8, seed=1)).long()
    first = close_samples()[0]
    return first["forecast"], first["target"]


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", LOSS_NAMES)
def test_losses_and_gradients_equal_those_in_float32(name: str, dtype: torch.dtype) -> None:
    """Training in half precision would minimise rounding errors."""
    loss = LOSSES.build({"type": name, **LOSS_ARGUMENTS.get(name, {})})
    prediction, target = arguments_of(name)
    half = prediction.to(dtype).requires_grad_()
    exact = half.detach().float().requires_grad_()
    expected = loss(exact, target)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(half, target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)
    for value in (found, expected):
        value.backward()
    assert half.grad is not None
    torch.testing.assert_close(half.grad, exact.grad.to(dtype))
