"""How much truth stands behind a figure."""

import numpy as np

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import frame_sum
from openstl_ext.metrics.tallies import TOTAL
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class ValidPixels(SampleMetric):
    """Number of pixels with truth, over all samples.

    A column beside the scores: a horizon far ahead is judged by fewer pixels than the first.
    """

    judges = "truth"
    counts_pixels = True
    name = "valid_pixels"
    unit = "pixels"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        count = frame_sum(sample["valid"])
        return Tally(total=count, weight=count)

    def combine(self, sums: np.ndarray) -> float:
        return float(sums[TOTAL])
