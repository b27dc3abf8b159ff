"""Scores of predicted quantiles."""

import math
from abc import ABC

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, as_float, map_sum, weighted
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


def pinball(quantiles: Tensor, levels: Tensor, target: Tensor) -> Tensor:
    """Return the quantile loss of each level and pixel.

    Shape:
        - quantiles: (Q, ...); levels: (Q,); target: (...); returns: (Q, ...).

    Source:
        Koenker and Bassett, Regression quantiles, 1978.
    """
    share = levels.view(-1, *[1] * target.ndim).to(quantiles)
    gap = target - quantiles
    return torch.maximum(share * gap, (share - 1) * gap)


class QuantileMetric(SampleMetric, ABC):
    """Base class of scores of quantiles; NaN for a forecast without them, as a baseline has."""

    requires = ("forecast", "quantiles")


@METRICS.register_module()
class CRPSQuantiles(QuantileMetric):
    """Twice the mean quantile loss of all levels, mean over all valid pixels.

    With evenly spaced levels it approaches the continuous ranked probability score as their number
    grows; only forecasts with the same levels can be compared.

    Source:
        Gneiting and Ranjan, Comparing density forecasts, 2011; ``crps_quantile`` of scoringrules.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    name = "crps_quantiles"
    unit = "{unit}"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        quantiles, target = as_float(sample["quantiles"]), as_float(sample["target"])
        found = 2 * pinball(quantiles, sample["quantile_levels"], target).mean(dim=0)
        return Tally(total=map_sum(weighted(found, sample)), weight=map_sum(area(sample)))


@METRICS.register_module()
class QuantileReliability(QuantileMetric):
    """Mean absolute difference of the levels of quantiles and the shares of targets below them.

    ``quantile_reliability[0]`` is the share of valid pixels whose target is at or below the first
    quantile, and so on; 0 overall is a calibrated forecast.

    Source:
        Gneiting, Balabdaoui and Raftery, Probabilistic forecasts, calibration and sharpness, 2007.
    """

    axes = ("class",)
    pools_units = True
    name = "quantile_reliability"
    unit = "1"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        quantiles, target = as_float(sample["quantiles"]), as_float(sample["target"])
        unknown = quantiles.isnan() | target.isnan()
        below = torch.where(unknown, torch.nan, (target <= quantiles).float())
        total = torch.stack([map_sum(weighted(each, sample)).sum() for each in below])
        number = map_sum(area(sample)).sum().repeat(len(total))
        levels = sample["quantile_levels"].to(total)
        return Tally(total=total, weight=number, more=(levels * number,))

    def overall(self, sums: np.ndarray) -> float:
        if not sums[WEIGHT].any():
            return math.nan
        return float(np.abs((sums[TOTAL] - sums[2]) / sums[WEIGHT]).mean())

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        return (len(sample["quantiles"]),) if "quantiles" in sample else (1,)
