"""Pixel errors averaged over valid pixels."""

import math

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import (
    absolute_error,
    frame_sum,
    signed_error,
    squared_error,
    sum_over_valid,
)
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class MeanMSE(SampleMetric):
    """Squared error, mean over all valid pixels of all samples.

    What OpenSTL calls ``mse`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MSE, spatial_norm=True).
    """

    counts_pixels = True
    name = "mse"
    unit = "squared data unit"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(squared_error(sample), sample["valid"])
        return Tally(total=total, weight=frame_sum(sample["valid"]))


@METRICS.register_module()
class MeanMAE(SampleMetric):
    """Absolute error, mean over all valid pixels of all samples.

    What OpenSTL calls ``mae`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MAE, spatial_norm=True).
    """

    counts_pixels = True
    name = "mae"
    unit = "data unit"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(absolute_error(sample), sample["valid"])
        return Tally(total=total, weight=frame_sum(sample["valid"]))


@METRICS.register_module()
class MeanRMSE(SampleMetric):
    """Root of the mean squared error over all valid pixels (not a mean of roots).

    What OpenSTL calls ``rmse`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (RMSE, spatial_norm=True).
    """

    counts_pixels = True
    name = "rmse"
    unit = "data unit"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(squared_error(sample), sample["valid"])
        return Tally(total=total, weight=frame_sum(sample["valid"]))

    def finish(self, mean: float) -> float:
        return math.sqrt(mean)


@METRICS.register_module()
class Bias(SampleMetric):
    """Forecast less truth, mean over all valid pixels of all samples.

    Best at 0: what is forecast too high in one place makes up for what is too low in another.
    """

    counts_pixels = True
    name = "bias"
    unit = "data unit"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(signed_error(sample), sample["valid"])
        return Tally(total=total, weight=frame_sum(sample["valid"]))
