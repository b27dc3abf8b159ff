"""Agreement of predicted and observed labels: of all classes together, or the mean of classes."""

import math

import numpy as np

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class OverallAccuracy(LabelMetric):
    """Share of valid pixels or scenes with the correct label, over the whole test set.

    Not informative where one class is rare: a model that never predicts it scores near 1.
    """

    axes = ()

    name = "overall_accuracy"

    def measure(self, sample: Sample) -> Tally:
        """Count correct pixels and all pixels.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (1,).
        """
        counts = self.confusion(sample)
        return Tally(total=counts.trace()[None], weight=counts.sum()[None])


@METRICS.register_module()
class AverageAccuracy(LabelMetric):
    """Share of the labels of each class that are predicted correctly; mean of observed classes.

    A class that is not in the targets has no score, even where it is predicted: unlike the mean
    of ``Recall``, which counts it as 0.
    """

    name = "average_accuracy"

    def measure(self, sample: Sample) -> Tally:
        """Count correct and all labels of each class.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (K,).
        """
        counts = self.confusion(sample)
        return Tally(total=counts.diagonal(), weight=counts.sum(dim=1))

    def overall(self, sums: np.ndarray) -> float:
        return self.class_mean(sums)


@METRICS.register_module()
class CohenKappa(LabelMetric):
    """Agreement beyond chance, from all pixels of the test set; 0 is the agreement of chance.

    Chance predicts each class as often as the model does, at random positions. NaN where targets
    and predictions have one and the same class only.

    Source:
        Cohen, A coefficient of agreement for nominal scales (1960).
    """

    axes = ()

    name = "kappa"

    def measure(self, sample: Sample) -> Tally:
        """Count the pixels of each class: correct, in the target, predicted.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (K,).
        """
        counts = self.confusion(sample)
        return Tally(total=counts.diagonal(), weight=counts.sum(dim=1), more=(counts.sum(dim=0),))

    def overall(self, sums: np.ndarray) -> float:
        if not np.isfinite(sums).all():
            return math.nan
        # integers, which Python multiplies without rounding
        correct, observed, predicted = ([int(count) for count in row] for row in sums)
        number = sum(observed)
        chance = sum(o * p for o, p in zip(observed, predicted, strict=True))
        return (
            (number * sum(correct) - chance) / (number**2 - chance)
            if chance < number**2
            else math.nan
        )
