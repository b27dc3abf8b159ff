"""How well the shape of each class is found."""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.metrics.tallies import WEIGHT, bootstrap_interval
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class Overlap(LabelMetric, ABC):
    """A score of each class from its hits, false alarms and misses; overall their mean.

    A class that is neither in the truth nor in the answers has no score and no say in the mean:
    1 would reward a test set that lacks it. One that is in either has a score, which is 0 where
    there is no hit, as a model must not gain by never answering it.
    """

    @abstractmethod
    def ratio(self, hits: float, alarms: float, misses: float) -> float:
        """The score of a class from its pixels: right, only answered, only in the truth."""

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
        known = [self.combine(column) for column in sums.T if column[WEIGHT]]
        return math.fsum(known) / len(known) if known else math.nan

    def columns(self, number: int) -> list[str]:
        return list(self.classes[:number])

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        """Also the interval of each class: of a rare one it is wider than the mean's."""
        each = {
            name: bootstrap_interval(tallies[:, :, k : k + 1], self.overall)
            for k, name in enumerate(self.columns(tallies.shape[2]))
        }
        return {**super().span(tallies), "intervals": each}


@METRICS.register_module()
class IoU(Overlap):
    """Intersection over union of pixels of each class, over the whole test set; mean of classes.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py (evaluate).

    Deviations:
        Upstream gives 1 to a class that is nowhere, and counts padded samples of a rank twice.
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
        Upstream gives 1 to a class that is nowhere, and counts padded samples of a rank twice.
    """

    name = "dice"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:
        return 2 * hits / (2 * hits + alarms + misses)


@METRICS.register_module()
class Precision(Overlap):
    """Share of the pixels answered with a class that are of it, over the test set; mean of classes.

    A class of the truth that is never answered has precision 0.
    """

    name = "precision"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:  # noqa: ARG002
        return hits / (hits + alarms) if hits else hits


@METRICS.register_module()
class Recall(Overlap):
    """Share of the pixels of a class that are answered with it, over the test set; mean of classes.

    A class that is answered and nowhere in the truth has recall 0.
    """

    name = "recall"

    def ratio(self, hits: float, alarms: float, misses: float) -> float:  # noqa: ARG002
        return hits / (hits + misses) if hits else hits
