"""Scores of samples that have a label of 0 or 1 for each class: F1 and exact match."""

import math
from abc import ABC

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.confusion import LabelMetric
from openstl_ext.metrics.tallies import TOTAL
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

OBSERVED, PREDICTED = 2, 3
"""Positions of the sums of observed and predicted labels, after those of every tally."""


class MultiLabelMetric(LabelMetric, ABC):
    """Base class of scores of samples that may belong to several classes at once, or to none."""

    def known(self, sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
        """Return target, labels and valid as numbers; 0 where invalid.

        Shape:
            - sample["target"], sample["labels"], sample["valid"], sample["probability"]: (K,).
            - returns: three times (K,), float64; labels are NaN where the probability of a valid
              class is not finite, because they are then arbitrary.

        Raises:
            ConfigError: If the samples have one class each, or another number of classes.
            DataError: If a valid label is neither 0 nor 1.
        """
        name, number, valid = type(self).__name__, len(self.classes), sample["valid"]
        probability = sample.get("probability", sample["labels"])
        if sample["target"].ndim != 1 or probability.ndim != 1:
            raise ConfigError(
                f"{name} scores samples with a label of 0 or 1 for each class, but the target has "
                f"shape {tuple(sample['target'].shape)}; for one class per sample or pixel use "
                "OverallAccuracy, AverageAccuracy, IoU or Dice"
            )
        if len(probability) != number:
            raise ConfigError(
                f"the net predicts {len(probability)} classes, but {name} has {number}: "
                f"{', '.join(self.classes)}"
            )
        for field, subject in (("target", "the target has"), ("labels", "the method predicts")):
            values = sample[field]  # type: ignore[literal-required]
            wrong = (valid & (values != 0) & (values != 1)).nonzero()
            if len(wrong):
                at = int(wrong[0])
                raise DataError(
                    f"{subject} {values[at].item():g} for the class {self.classes[at]}; with "
                    "several labels per sample each is 0 or 1"
                )
        target, labels = (
            torch.where(valid, sample[field], 0).double()  # type: ignore[literal-required]
            for field in ("target", "labels")
        )
        arbitrary = valid & ~probability.isfinite()
        return target, labels.masked_fill(arbitrary, torch.nan), valid.double()


class F1(MultiLabelMetric, ABC):
    """Base class of the harmonic mean of precision and recall."""

    def measure(self, sample: Sample) -> Tally:
        """Count the labels of each class.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (K,); tally: (K,).
        """
        target, labels, valid = self.known(sample)
        return Tally(total=target * labels, weight=valid, more=(target, labels))

    def combine(self, sums: np.ndarray) -> float:
        hits, observed, predicted = (float(sums[i]) for i in (TOTAL, OBSERVED, PREDICTED))
        both = observed + predicted
        return 2 * hits / both if both else math.nan


@METRICS.register_module()
class F1Micro(F1):
    """F1 of the labels of all classes together, over the whole test set."""

    axes = ()
    name = "f1_micro"


@METRICS.register_module()
class F1Macro(F1):
    """F1 of the labels of each class, over the whole test set; mean of classes.

    A class that is neither observed nor predicted has no score and is left out of the mean.
    """

    name = "f1_macro"

    def overall(self, sums: np.ndarray) -> float:
        return self.class_mean(sums)


@METRICS.register_module()
class SubsetAccuracy(MultiLabelMetric):
    """Share of samples whose labels are all correct."""

    axes = ()
    name = "subset_accuracy"

    def measure(self, sample: Sample) -> Tally:
        """Compare all labels of a sample.

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: (K,); tally: (1,).
        """
        target, labels, valid = self.known(sample)
        wrong = (target - labels).abs().amax()  # 0 or 1; NaN passes
        return Tally(total=valid.amax()[None] * (1 - wrong), weight=valid.amax()[None])
