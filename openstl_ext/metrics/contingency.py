"""Scores of events: values at or above a threshold, as in the verification of rain."""

import math
import warnings
from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.area import AreaMetric
from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.frames import area, as_float, map_sum
from openstl_ext.metrics.tallies import WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

HITS, MISSES, FALSE_ALARMS = 0, 2, 3
"""Positions in the sums; the weight is the area of the valid pixels."""


def checked_threshold(threshold: float, needed_by: str) -> float:
    """Return a threshold in float32, as frames are: a value that equals it is an event.

    Raises:
        ConfigError: If it is not finite.
    """
    if not math.isfinite(threshold):
        raise ConfigError(f"{needed_by}: threshold={threshold} is no number in the unit of data")
    return float(np.float32(threshold))


def counted_events(
    name: str, threshold: float, observed: np.ndarray, pixels: np.ndarray
) -> dict[str, int]:
    """Count the samples with an observed event, and those with a pixel without one.

    A warning says if the threshold is outside the data, where the score has no meaning.

    Args:
        name: Name of the score.
        threshold: Smallest value of an event.
        observed: Area of the observed events of each sample (N,).
        pixels: Area of the valid pixels of each sample (N,).
    """
    events, others = int((observed > 0).sum()), int((observed < pixels).sum())
    known = bool((pixels > 0).any()) and bool(np.isfinite(observed).all())
    if known and not (events and others):
        what = "no target" if not events else "every target"
        warnings.warn(
            f"{name}: {what} of the {len(observed)} test samples reaches the threshold "
            f"{threshold:g}, so it has no meaning here; choose one within the data",
            stacklevel=2,
        )
    return {"num_samples_with_event": events, "num_samples_with_other_pixels": others}


def events(values: Tensor, threshold: float) -> Tensor:
    """Return 1 where a value reaches the threshold, 0 elsewhere, and NaN where it is NaN."""
    values = as_float(values)
    return torch.where(values.isnan(), torch.nan, (values >= threshold).float())


class EventMetric(AreaMetric, ABC):
    """Base class of scores of a contingency table of pixels, pooled over all samples.

    The name has the threshold, as in ``csi_0.5``; one metric in the config per threshold. There is
    no score where no target reaches the threshold, not even the worst one for a false alarm; a
    warning states if that is the whole test set, or if every target reaches it.

    Args:
        threshold: Smallest value of an event, in the unit of the data.
        latitudes: As in ``AreaMetric``.

    Raises:
        ConfigError: If the threshold is not finite.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    unit = "1"

    def __init__(self, *, threshold: float, latitudes: tuple[float, float] | None = None) -> None:
        self.threshold = checked_threshold(threshold, type(self).__name__)
        self.name = f"{type(self).name}_{self.threshold:g}"
        super().__init__(latitudes=latitudes)

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
        if sums[HITS] + sums[MISSES] == 0:
            return math.nan  # a false alarm alone would be the worst score, in any number
        try:
            return self.score(*(float(sums[k]) for k in (HITS, MISSES, FALSE_ALARMS)))
        except ZeroDivisionError:
            return math.nan

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        observed, pixels = (
            part.reshape(len(tallies), -1).sum(axis=1)
            for part in (tallies[:, HITS] + tallies[:, MISSES], tallies[:, WEIGHT])
        )
        return counted_events(self.name, self.threshold, observed, pixels)

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
