"""NewMetric is the value that a calculation by hand gives."""

import torch
from new_metric import NewMetric

TARGET = torch.zeros(2, 1, 2, 2)
FORECAST = torch.tensor([[[[0.0, 1.0], [-3.0, 2.0]]], [[[1.0, 1.0], [1.0, 1.0]]]])


def test_the_score_is_the_largest_error_of_each_frame() -> None:
    """A table would show another quantity than its name states."""
    valid = torch.ones_like(TARGET, dtype=torch.bool)
    metric = NewMetric()
    metric.process(None, [{"forecast": FORECAST, "target": TARGET, "valid": valid}])
    scores = metric.evaluate(1)
    assert scores == {"new_metric": 2.0, "new_metric@1": 3.0, "new_metric@2": 1.0}


def test_a_pixel_without_data_does_not_count() -> None:
    """A score would depend on the values that fill gaps."""
    forecast = FORECAST.clone()
    forecast[0, 0, 1, 0] = torch.nan
    sample = {"forecast": forecast, "target": TARGET, "valid": forecast.isfinite()}
    metric = NewMetric()
    metric.process(None, [sample])
    assert metric.evaluate(1)["new_metric@1"] == 2.0
