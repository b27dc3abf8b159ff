"""Scores of single classes from hits, false alarms and misses: IoU, Dice, precision, recall."""

import math
from abc import ABC, abstractmethod

import numpy as np

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class Overlap(LabelMetric, ABC):
    """Base class of scores from hits, false alarms and misses of a class; overall their mean.

    A class that is neither in the targets nor in the predictions has no score and is left out of
    the mean: a 1 would reward a test set without it. A class that is in either has a score, which
    is 0 without a hit, so that a model cannot gain by never predicting it.
    """

    @abstractmethod
    def ratio(self, hits: float, alarms: float, misses: float) -> float:
        """Compute the score of a class from hits, false alarms and misses, in pixels."""

    def measure(self, sample: Sample) -> Tally:
        """Count the pixels of each class.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (H, W) or (); tally: (K,).
        """
        counts = self.confusion(sample)
        hits = counts.diagonal()
        alarms, misses = counts.sum(dim=0) - hits, counts.sum(dim=1) - hits
        return Tally(total=hits, weight=hits + alarms + misses, more=(alarms, misses))

    def combine(self, sums: np.ndarray) -> float:
        hits, either, alarms, misses = (float(value) for value in sums)
        return self.ratio(hits, alarms, misses) if either else math.nan

    def overall(self, sums: np.ndarray) -> float:
        return self.class_mean(sums)


@METRICS.register_module()
class IoU(Overlap):
    """Intersection over union of pixels of each class, over the whole test set; mean of classes.

    The mean equals the macro Jaccard score that SMARTIES reports, without the ignored pixels. A
    table that counts an absent class as 0 has a lower mean; ``num_unscored_classes`` is stored.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py (evaluate).

    Deviations:
        Upstream gives 1 to an absent class, and counts the padded samples of a rank twice.
    """

    name = "iou"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:
        return hits / (hits + alarms + misses)


@METRICS.register_module()
class Dice(Overlap):
    """Dice (F1) of pixels of each class, over the whole test set; mean of classes.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py (evaluate).

    Deviations:
        Upstream gives 1 to an absent class, and counts the padded samples of a rank twice.
    """

    name = "dice"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:
        return 2 * hits / (2 * hits + alarms + misses)


@METRICS.register_module()
class Precision(Overlap):
    """Share of correct pixels among those predicted as a class, over the test set; mean of classes.

    A class of the targets that is never predicted has precision 0.
    """

    name = "precision"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:  # noqa: ARG002
        return hits / (hits + alarms) if hits else hits


@METRICS.register_module()
class Recall(Overlap):
    """Share of the pixels of a class that are predicted as it, over the test set; mean of classes.

    A class that is predicted and nowhere in the targets has recall 0.
    """

    name = "recall"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:  # noqa: ARG002
        return hits / (hits + misses) if hits else hits
