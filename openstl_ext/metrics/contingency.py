"""Scores of events: values at or above a threshold, as in the verification of rain."""

import math
import warnings
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, as_float, map_sum
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

HITS, MISSES, FALSE_ALARMS = 0, 2, 3
"""Positions in the sums; position 1 is the area of the valid pixels."""


def events(values: Tensor, threshold: float) -> Tensor:
    """Return 1 where a value reaches the threshold, 0 elsewhere, and NaN where it is NaN."""
    values = as_float(values)
    return torch.where(values.isnan(), torch.nan, (values >= threshold).float())


class EventMetric(SampleMetric, ABC):
    """Base class of scores of a contingency table of pixels, pooled over all samples.

    The name has the threshold, as in ``csi_0.5``; one metric in the config per threshold. A test
    set in which no target reaches the threshold has no score, and a warning says so.

    Args:
        threshold: Smallest value of an event, in the unit of the data.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    unit = "1"

    def __init__(self, *, threshold: float) -> None:
        self.threshold = float(threshold)
        self.name = f"{type(self).name}_{self.threshold:g}"
        super().__init__()

    @staticmethod
    @abstractmethod
    def score(hits: float, misses: float, false_alarms: float) -> float:
        """Compute the score of a table; NaN or a ZeroDivisionError where it is not defined."""

    def measure(self, sample: Sample) -> Tally:
        forecast, target = (events(sample[side], self.threshold) for side in ("forecast", "target"))
        weight = area(sample)

        def total(field: Tensor) -> Tensor:
            return map_sum(torch.where(sample["valid"], field * weight, 0.0))

        return Tally(
            total=total(forecast * target),
            weight=map_sum(weight),
            more=(total((1 - forecast) * target), total(forecast * (1 - target))),
        )

    def combine(self, sums: np.ndarray) -> float:
        try:
            return self.score(*(float(sums[k]) for k in (HITS, MISSES, FALSE_ALARMS)))
        except ZeroDivisionError:
            return math.nan

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        observed = tallies[:, HITS] + tallies[:, MISSES]
        number = int((observed.reshape(len(tallies), -1).sum(axis=1) > 0).sum())
        if not number and len(tallies):
            warnings.warn(
                f"{self.name}: no target of the {len(tallies)} test samples reaches the threshold "
                f"{self.threshold:g}, so it has no meaning here; choose one within the data",
                stacklevel=2,
            )
        return {"num_samples_with_event": number}

    def convention(self) -> str:
        return f"{super().convention()} Threshold {self.threshold:g}."


@METRICS.register_module()
class CSI(EventMetric):
    """Critical success index: hits over hits, misses and false alarms, of all valid pixels.

    Source:
        Schaefer, The critical success index as an indicator of warning skill, 1990.
    """

    name = "csi"
    higher_is_better = True

    @staticmethod
    def score(hits: float, misses: float, false_alarms: float) -> float:
        return hits / (hits + misses + false_alarms)


@METRICS.register_module()
class POD(EventMetric):
    """Probability of detection: hits over hits and misses, of all valid pixels.

    Source:
        Wilks, Statistical Methods in the Atmospheric Sciences, chapter on forecast verification.
    """

    name = "pod"
    higher_is_better = True

    @staticmethod
    def score(hits: float, misses: float, false_alarms: float) -> float:  # noqa: ARG004
        return hits / (hits + misses)


@METRICS.register_module()
class FAR(EventMetric):
    """False alarm ratio: false alarms over hits and false alarms, of all valid pixels.

    Source:
        Wilks, Statistical Methods in the Atmospheric Sciences, chapter on forecast verification.
    """

    name = "far"
    higher_is_better = False

    @staticmethod
    def score(hits: float, misses: float, false_alarms: float) -> float:  # noqa: ARG004
        return false_alarms / (hits + false_alarms)


@METRICS.register_module()
class FrequencyBias(EventMetric):
    """Forecast over observed events, of all valid pixels; the best value is 1.

    Source:
        Wilks, Statistical Methods in the Atmospheric Sciences, chapter on forecast verification.
    """

    name = "frequency_bias"
    higher_is_better = None

    @staticmethod
    def score(hits: float, misses: float, false_alarms: float) -> float:
        return (hits + false_alarms) / (hits + misses)
