"""NewMetric: the largest error of a frame."""

import torch

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

FRAME = (-3, -2, -1)


@METRICS.register_module()
class NewMetric(SampleMetric):
    """Largest absolute error of a frame, mean over samples and frames.

    Scores: ``new_metric``, and ``new_metric@3`` for lead 3.
    """

    name = "new_metric"
    unit = "{unit}"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        """Compute the error of one sample; frames without a valid pixel get weight 0.

        Shape:
            - forecast, target, valid: (T, C, H, W); tally: (T,).
        """
        error = (sample["forecast"] - sample["target"]).abs()
        error = torch.where(sample["valid"], error, 0.0)  # a product would keep NaN
        weight = sample["valid"].any(dim=-1).any(dim=-1).any(dim=-1).float()
        return Tally(total=error.amax(dim=FRAME), weight=weight)
