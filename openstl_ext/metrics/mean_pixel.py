"""Pixel errors averaged over valid pixels, and the number of these pixels."""

import math
from abc import ABC

import numpy as np
from torch import Tensor

from openstl_ext.metrics.area import AreaMetric
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import (
    absolute_error,
    area,
    map_sum,
    signed_error,
    squared_error,
    weighted,
)
from openstl_ext.metrics.tallies import TOTAL
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class MeanPixelMetric(AreaMetric, ABC):
    """Base class of errors averaged over valid pixels, weighted by their area.

    Scores, for ``mse``: ``mse``, ``mse@3`` for lead 3, ``mse[t2m]`` for a channel,
    ``mse[t2m]@3`` for both. Without area weights every pixel has weight 1.

    Args:
        latitudes: Latitudes of the first and of the last row of a regular grid, in degrees, whose
            cosine weights the rows; see ``AreaMetric``.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    higher_is_better: bool | None = False

    @staticmethod
    def tally(error: Tensor, sample: Sample) -> Tally:
        """Sum an error (T, C, H, W) over the valid pixels of each map, with their area."""
        return Tally(total=map_sum(weighted(error, sample)), weight=map_sum(area(sample)))


@METRICS.register_module()
class MeanMSE(MeanPixelMetric):
    """Squared error, mean over all valid pixels of all samples.

    OpenSTL's ``mse`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MSE, spatial_norm=True).
    """

    name = "mse"
    unit = "{unit}^2"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(squared_error(sample), sample)


@METRICS.register_module()
class MeanMAE(MeanPixelMetric):
    """Absolute error, mean over all valid pixels of all samples.

    OpenSTL's ``mae`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MAE, spatial_norm=True).
    """

    name = "mae"
    unit = "{unit}"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(absolute_error(sample), sample)


@METRICS.register_module()
class MeanRMSE(MeanPixelMetric):
    """Root of the mean squared error over all valid pixels (not a mean of roots).

    OpenSTL's ``rmse`` with ``spatial_norm``, as in its weather tables.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (RMSE, spatial_norm=True).
    """

    name = "rmse"
    unit = "{unit}"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(squared_error(sample), sample)

    def finish(self, mean: float) -> float:
        return math.sqrt(mean)


@METRICS.register_module()
class Bias(MeanPixelMetric):
    """Forecast minus target, mean over all valid pixels of all samples.

    The best value is 0. Errors of opposite sign cancel.
    """

    name = "bias"
    unit = "{unit}"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        return self.tally(signed_error(sample), sample)


@METRICS.register_module()
class ValidPixels(SampleMetric):
    """Number of pixels with a target, over all samples.

    A column beside the scores: a far lead may have fewer observed pixels than the first.
    """

    requires = ("target",)
    axes = ("lead", "channel")
    counts_pixels = True
    pools_units = True
    name = "valid_pixels"
    unit = "pixels"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        count = map_sum(sample["valid"])
        return Tally(total=count, weight=count)

    def combine(self, sums: np.ndarray) -> float:
        return float(sums[TOTAL])
