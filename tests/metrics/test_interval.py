"""Coverage and width of intervals: numbers by hand, and rules."""

import math
from typing import Any

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.interval import IntervalCoverage, IntervalWidth
from openstl_ext.structures import Sample
from tests.metrics.samples import draw, drawn_samples, evaluated, frames

KINDS = [IntervalCoverage, IntervalWidth]
LEVELS = torch.tensor([0.025, 0.975])


def with_quantiles(samples: list[Sample]) -> list[Sample]:
    """Add intervals of different widths to forecasts of moderate quality."""
    made: list[Any] = []
    for i, sample in enumerate(samples):
        ends = (draw(*sample["target"].shape, seed=50 + i) - 0.3 for _ in range(2))
        low, high = ends
        quantiles = torch.stack([sample["forecast"] - low, sample["forecast"] + high])
        made.append({**sample, "quantiles": quantiles, "quantile_levels": LEVELS})
    return made


def test_coverage_and_width_equal_those_by_hand() -> None:
    """Open ends, or counted gaps, would change the coverage."""
    lone: Any = {
        "forecast": frames([[0.0, 0.0], [0.0, 0.0]]),
        "target": frames([[0.0, 1.0], [2.0, 9.0]]),
        "quantiles": torch.stack(
            [frames([[0.0, 0.5], [2.5, 0.0]]), frames([[1.0, 1.0], [3.0, 1.0]])]
        ),
        "quantile_levels": LEVELS,
        "weight": torch.ones(2, 2),
        "valid": torch.tensor([[[[True, True], [True, False]]]]),
    }
    assert evaluated(IntervalCoverage(), [lone])["coverage"] == pytest.approx(2 / 3)
    assert evaluated(IntervalWidth(), [lone])["width"] == pytest.approx((1 + 0.5 + 0.5) / 3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forecast_without_an_interval_has_no_score(kind: type[SampleMetric]) -> None:
    """A baseline would have a coverage of 0, or end the test."""
    metric = kind()
    scores = evaluated(metric, drawn_samples(3))
    assert all(math.isnan(value) for value in scores.values())
    assert metric.describe()[metric.name]["interval"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_of_other_levels_has_a_name_of_its_own(kind: type[SampleMetric]) -> None:
    """Two intervals under one name would overwrite each other in a record."""
    wide, narrow = kind(), kind(levels=(0.25, 0.75))
    assert narrow.name == f"{wide.name}_50"
    assert wide.convention() != narrow.convention()
    samples = with_quantiles(drawn_samples(3))
    with pytest.raises(ConfigError, match=r"predicts the quantiles 0\.025, 0\.975, not 0\.25"):
        evaluated(narrow, samples)
    for sample in samples:
        inner = 0.5 * (sample["quantiles"] + sample["forecast"])
        outer = sample["quantiles"]
        sample["quantiles"] = torch.stack([outer[0], inner[0], inner[1], outer[1]])
        sample["quantile_levels"] = torch.tensor([0.025, 0.25, 0.75, 0.975])
    assert evaluated(narrow, samples)[narrow.name] < evaluated(wide, samples)[wide.name]


@pytest.mark.parametrize("levels", [(0.9, 0.1), (0.0, 0.5), (0.1,), (0.1, 0.5, 0.9)])
def test_levels_that_are_no_interval_are_rejected(levels: Any) -> None:
    """A coverage from 90 % down to 10 % is 0 for every forecast."""
    with pytest.raises(ConfigError, match="two ascending numbers"):
        IntervalCoverage(levels=levels)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_do_not_depend_on_order_or_batch_size(kind: type[SampleMetric]) -> None:
    """Scores would depend on the loader."""
    metric, samples = kind(), with_quantiles(drawn_samples(7))
    whole = evaluated(metric, samples, batch_size=7)
    assert evaluated(metric, samples, batch_size=1) == whole
    assert evaluated(metric, samples[::-1], batch_size=2) == whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", ["quantiles", "target"])
def test_invalid_pixels_have_no_effect(kind: type[SampleMetric], field: str) -> None:
    """Fill values would change scores."""
    metric, (whole,) = kind(), with_quantiles(drawn_samples(1))
    whole["valid"][0, :, 3:5] = False
    expected = evaluated(metric, [whole])
    for filler in (math.nan, math.inf, -9999.0):
        filled: Any = {**whole, field: torch.where(whole["valid"], whole[field], filler)}
        assert evaluated(metric, [filled]) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_nan_in_an_end_reaches_the_score(kind: type[SampleMetric]) -> None:
    """NaN compares as False, and would count as a target outside."""
    metric, samples = kind(), with_quantiles(drawn_samples(2))
    samples[1]["quantiles"][1, 1, 0, 2, 2] = math.nan
    scores = evaluated(metric, samples)
    assert math.isnan(scores[metric.name])
    assert math.isnan(scores[f"{metric.name}@2"])
    assert math.isfinite(scores[f"{metric.name}@1"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_lead_without_targets_has_no_score_and_no_weight(kind: type[SampleMetric]) -> None:
    """A horizon without observations would count as covered or missed."""
    metric, samples = kind(), with_quantiles(drawn_samples(2))
    for sample in samples:
        sample["valid"][1] = False
    scores = evaluated(metric, samples)
    assert math.isnan(scores[f"{metric.name}@2"])
    assert scores[metric.name] == scores[f"{metric.name}@1"]
    assert metric.describe()[metric.name]["num_valid"] == [2 * 12 * 13, 0]
