"""How far truth and answers agree, all classes taken together."""

import math

import numpy as np

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class OverallAccuracy(LabelMetric):
    """Share of valid pixels that are answered rightly, over the whole test set.

    Says little where one class is rare: who never answers it is nearly always right.
    """

    name = "overall_accuracy"

    def measure(self, sample: Sample) -> Tally:
        """Count pixels, right ones and all.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (1,).
        """
        counts = self.confusion(sample)
        return Tally(total=counts.trace()[None], weight=counts.sum()[None])

    def columns(self, number: int) -> list[str]:  # noqa: ARG002
        return []


@METRICS.register_module()
class CohenKappa(LabelMetric):
    """Agreement beyond that of chance, which is 0; from all pixels of the test set together.

    Chance answers each class as often as the model does, anywhere. NaN where truth and answers
    hold one and the same class only: nothing could have gone wrong.

    Source:
        Cohen, A coefficient of agreement for nominal scales (1960).
    """

    name = "kappa"

    def measure(self, sample: Sample) -> Tally:
        """Count the pixels of each class: right ones, in the truth, in the answers.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (K,).
        """
        counts = self.confusion(sample)
        return Tally(total=counts.diagonal(), weight=counts.sum(dim=1), more=(counts.sum(dim=0),))

    def overall(self, sums: np.ndarray) -> float:
        if not np.isfinite(sums).all():
            return math.nan
        # whole numbers, which Python multiplies without rounding
        right, true, said = ([int(count) for count in row] for row in sums)
        number = sum(true)
        chance = sum(t * s for t, s in zip(true, said, strict=True))
        return (
            (number * sum(right) - chance) / (number**2 - chance)
            if chance < number**2
            else math.nan
        )

    def columns(self, number: int) -> list[str]:  # noqa: ARG002
        return []
