"""Explained variance of the change since the last input frame."""

import math

import numpy as np

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, map_sum, squared_error, weighted
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

SUM, SQUARES = 2, 3
"""Positions of the sums of observed change and of its square, after those of every tally."""


@METRICS.register_module()
class ChangeR2(SampleMetric):
    """Share of the variance of the change since the last known frame that is explained.

    R2 of the values is near 1 for a forecast that repeats the last frame, because most of a map
    does not change. For change, that forecast scores 0 or less. Mean and variance are those of
    all valid pixels of all samples, of one lead or of all.
    """

    requires = ("forecast", "last")
    axes = ("lead", "channel")
    counts_pixels = True
    name = "r2_change"
    unit = "1"
    higher_is_better = True

    def measure(self, sample: Sample) -> Tally:
        change = sample["target"].double() - sample["last"].double()
        return Tally(
            total=map_sum(weighted(squared_error(sample).double(), sample)),
            weight=map_sum(area(sample)),
            more=(
                map_sum(weighted(change, sample)),
                map_sum(weighted(change.square(), sample)),
            ),
        )

    def combine(self, sums: np.ndarray) -> float:
        if not sums[WEIGHT]:
            return math.nan
        variation = sums[SQUARES] - sums[SUM] ** 2 / sums[WEIGHT]
        # equal change everywhere leaves rounding only, of which nothing can be explained
        if variation <= 1e-12 * sums[SQUARES]:
            return math.nan
        return float(1 - sums[TOTAL] / variation)
