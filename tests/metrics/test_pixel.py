"""Pixel errors against sums by hand."""

import math

import pytest

from openstl_ext.metrics.mean_pixel import MeanMAE, MeanMSE, MeanRMSE
from openstl_ext.metrics.summed_pixel import SummedMAE, SummedMSE, SummedRMSE
from tests.metrics.samples import evaluated, frames, sample

TARGET = frames([[0.0, 1.0], [2.0, 3.0]], [[1.0, 1.0], [1.0, 1.0]])
FORECAST = frames([[1.0, 1.0], [0.0, 3.0]], [[1.0, 1.0], [1.0, 4.0]])
# squared errors: lead 1: 1 + 4 = 5; lead 2: 9. absolute: 3 and 3.


@pytest.mark.parametrize(
    ("metric", "overall", "first", "second"),
    [
        (SummedMSE(), 7.0, 5.0, 9.0),
        (SummedMAE(), 3.0, 3.0, 3.0),
        (SummedRMSE(), math.sqrt(7), math.sqrt(5), 3.0),
        (MeanMSE(), 7 / 4, 5 / 4, 9 / 4),
        (MeanMAE(), 3 / 4, 3 / 4, 3 / 4),
        (MeanRMSE(), math.sqrt(7) / 2, math.sqrt(5) / 2, 3 / 2),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_errors_equal_those_by_hand(
    metric: SummedMSE, overall: float, first: float, second: float
) -> None:
    """A factor of H x W would be in every table."""
    name = metric.name
    scores = evaluated(metric, [sample(FORECAST, TARGET)])
    assert scores == pytest.approx({name: overall, f"{name}@1": first, f"{name}@2": second})


def test_a_mean_counts_pixels_and_not_frames() -> None:
    """A frame with one valid pixel would count as much as a full one."""
    valid = TARGET >= 0
    valid[1, 0, 0, :] = valid[1, 0, 1, 0] = False  # the pixel with the error of 3 is left
    assert evaluated(MeanMAE(), [sample(FORECAST, TARGET, valid)])["mae"] == (3 + 3) / 5
    assert evaluated(MeanMSE(), [sample(FORECAST, TARGET, valid)])["mse"] == (5 + 9) / 5


def test_the_root_is_taken_once_over_all_samples() -> None:
    """A mean of roots is smaller than the published number."""
    good, bad = sample(TARGET, TARGET), sample(FORECAST, TARGET)
    assert evaluated(SummedRMSE(), [good, bad])["rmse_sum"] == pytest.approx(math.sqrt(3.5))
