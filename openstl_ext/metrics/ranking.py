"""Average precision: a score of the order of all samples by their probability."""

from abc import ABC

import numpy as np
import torch

from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.multi_label import MultiLabelMetric
from openstl_ext.metrics.tallies import Pooling, exact_sum
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

PROBABILITY, VALID, LABEL = 0, 1, 2
"""Positions of what is kept of each sample in a tally."""


class Ranking:
    """Samples in descending order of probability; equal probabilities share one threshold.

    Sorted once, so that a bootstrap resample needs two cumulative sums only.

    Args:
        labels: Probability, whether the label exists, and whether it is 1.
        sample: Index of the sample of each label.

    Shape:
        - labels: (3, M); sample: (M,).
    """

    def __init__(self, labels: np.ndarray, sample: np.ndarray) -> None:
        probability, valid, label = labels[PROBABILITY], labels[VALID], labels[LABEL]
        kept = np.flatnonzero(valid)
        order = kept[np.argsort(-probability[kept], kind="stable")]
        values = probability[order]
        self.is_finite = bool(np.isfinite(values).all())
        self.sample = sample[order]
        self.positive = np.flatnonzero(label[order])
        # the last label at each threshold, for the thresholds that have a positive one
        ends = np.flatnonzero(np.append(values[1:] != values[:-1], True)[: len(values)])
        group = np.searchsorted(ends, self.positive)
        self.ends = ends[np.unique(group)]
        self.last = np.flatnonzero(np.append(group[1:] != group[:-1], True)[: len(group)])

    def sums(self, times: np.ndarray | None) -> tuple[float, float]:
        """Return the sum of precisions at each positive label, and the number of positive labels.

        Args:
            times: How often each sample counts; None for once.
        """
        if not self.is_finite:
            return np.nan, np.nan
        counts = np.ones(len(self.sample)) if times is None else times[self.sample]
        ranked = counts.cumsum()[self.ends]
        hits = counts[self.positive].cumsum()[self.last]
        gained = np.diff(hits, prepend=0.0)
        terms = gained * (hits / np.maximum(ranked, 1))
        return exact_sum(terms) if times is None else float(terms.sum()), float(gained.sum())


class AveragePrecision(MultiLabelMetric, ABC):
    """Base class of average precision: the mean precision over all increases of the recall.

    AP = sum of (R_n - R_{n-1}) P_n over the distinct probabilities as thresholds, in descending
    order, without interpolation. The tally of a sample is its probabilities and labels, and the
    order is that of the whole test set, so the score does not depend on batches or processes.
    """

    requires = ("labels", "probability")

    def measure(self, sample: Sample) -> Tally:
        """Keep the probability and the label of each class.

        Shape:
            - sample["target"], sample["probability"], sample["valid"]: (K,); tally: (K,).
        """
        target, _, valid = self.known(sample)
        probability = torch.where(sample["valid"], sample["probability"], 0).double()
        return Tally(total=probability, weight=valid, more=(target,))


@METRICS.register_module()
class AveragePrecisionMicro(AveragePrecision):
    """Average precision of the labels of all classes in one ranking, over the whole test set.

    Source:
        SMARTIES, BigEarthNet evaluation (``average_precision_score`` with ``average="micro"``).
        https://github.com/gsumbul/SMARTIES
    """

    axes = ()
    name = "average_precision_micro"

    def pooling(self, tallies: np.ndarray) -> Pooling:
        """Return the sums (2, 1) of the ranking of all labels of tallies (N, 3, K)."""
        number, _, classes = tallies.shape
        labels = np.moveaxis(tallies, 1, 0).reshape(3, number * classes)
        ranking = Ranking(labels, np.repeat(np.arange(number), classes))
        return lambda times: np.array(ranking.sums(times)).reshape(2, 1)


@METRICS.register_module()
class AveragePrecisionMacro(AveragePrecision):
    """Average precision of each class, over the whole test set; mean of observed classes.

    A class that is not in the targets has no score and is left out of the mean.
    """

    name = "average_precision_macro"

    def pooling(self, tallies: np.ndarray) -> Pooling:
        """Return the sums (2, K) of one ranking per class of tallies (N, 3, K)."""
        samples = np.arange(len(tallies))
        rankings = [Ranking(tallies[:, :, k].T, samples) for k in range(tallies.shape[2])]
        return lambda times: np.array([ranking.sums(times) for ranking in rankings]).T

    def overall(self, sums: np.ndarray) -> float:
        return self.class_mean(sums)
