"""How much of the change since the last known frame is explained."""

import math

import numpy as np

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import frame_sum, squared_error, sum_over_valid
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

SUM, SQUARES = 2, 3
"""Places of the sums of true change and of its square, after those of every tally."""


@METRICS.register_module()
class ChangeR2(SampleMetric):
    """Share of the variance of the change since the last known frame that is explained.

    R2 of the values themselves is near 1 for whatever says the last frame again, as most of a map
    stays as it is. Of change, that forecast explains nothing: its score is 0 or below. The mean
    and the variance are those of all valid pixels of all samples, of one lead or of all.
    """

    counts_pixels = True
    name = "r2_change"
    unit = "1"
    higher_is_better = True

    def measure(self, sample: Sample) -> Tally:
        valid = sample["valid"]
        change = sample["target"].double() - sample["last"].double()
        return Tally(
            total=sum_over_valid(squared_error(sample).double(), valid),
            weight=frame_sum(valid),
            more=(sum_over_valid(change, valid), sum_over_valid(change.square(), valid)),
        )

    def combine(self, sums: np.ndarray) -> float:
        if not sums[WEIGHT]:
            return math.nan
        variation = sums[SQUARES] - sums[SUM] ** 2 / sums[WEIGHT]
        # the same change everywhere leaves rounding alone, of which no share can be explained
        if variation <= 1e-12 * sums[SQUARES]:
            return math.nan
        return float(1 - sums[TOTAL] / variation)
