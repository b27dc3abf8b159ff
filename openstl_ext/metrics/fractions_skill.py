"""Fractions skill score: agreement of the share of events in neighbourhoods."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.contingency import checked_threshold, counted_events, events
from openstl_ext.metrics.frames import map_sum
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from openstl_ext.value_types import Count

OBSERVED, PIXELS = 2, 3
"""Positions in the sums of the numbers of observed events and of valid pixels."""


def neighbourhood_share(field: Tensor, window: int) -> Tensor:
    """Return the mean of a field of zeros and ones in a square window; 0 beyond the edge.

    Whole numbers are added, so that the result does not depend on the order.

    Shape:
        - field: (T, C, H, W); returns: the same, float64.
    """
    half = window // 2
    padded = F.pad(field.double(), (half + 1, half, half + 1, half))
    sums = padded.cumsum(dim=-1).cumsum(dim=-2)
    inner = sums[..., window:, window:] + sums[..., :-window, :-window]
    return (inner - sums[..., window:, :-window] - sums[..., :-window, window:]) / window**2


@METRICS.register_module()
class FractionsSkillScore(SampleMetric):
    """Fractions skill score: 1 minus the squared error of shares over its largest value.

    A value counts as an event at or above the threshold. The shares of events in squares are
    compared, so that a small displacement costs little. Squared errors and squares are pooled over
    all samples; without an observed event there is no score. Invalid pixels are no events on
    either side, and no centres of squares. The name has threshold and window, as in ``fss_0.5_9``.
    Area weights do not apply.

    Args:
        threshold: Smallest value of an event, in the unit of the data.
        window: Side of the squares in pixels; odd.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.

    Raises:
        ConfigError: If the window is even, or the threshold is not finite.
        ShapeError: If the window covers the frame from each of its pixels.

    Source:
        Roberts and Lean, Scale-selective verification of rainfall accumulations, 2008; squares at
        the edge as in pysteps' ``fss``.
    """

    axes = ("lead", "channel")
    name = "fss"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, threshold: float, window: Count = 9) -> None:
        if window % 2 == 0:
            raise ConfigError(
                f"FractionsSkillScore: window={window} has no centre; choose an odd one"
            )
        self.threshold = checked_threshold(threshold, type(self).__name__)
        self.window = window
        self.name = f"{type(self).name}_{self.threshold:g}_{window}"
        super().__init__()

    def measure(self, sample: Sample) -> Tally:
        valid = sample["valid"]
        height, width = valid.shape[-2:]
        if self.window >= 2 * min(height, width):
            raise ShapeError(
                f"FractionsSkillScore: window={self.window} covers a frame of {height} x {width} "
                "pixels from each of its pixels; choose a smaller one"
            )
        found = [
            torch.where(valid, events(sample[side], self.threshold), 0.0)
            for side in ("forecast", "target")
        ]
        forecast, target = (neighbourhood_share(field, self.window) for field in found)
        return Tally(
            total=map_sum(torch.where(valid, (forecast - target).square(), 0.0)),
            weight=map_sum(torch.where(valid, forecast.square() + target.square(), 0.0)),
            more=(map_sum(found[1]), map_sum(valid)),
        )

    def combine(self, sums: np.ndarray) -> float:
        return super().combine(sums) if sums[OBSERVED] else math.nan

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        observed, pixels = (
            tallies[:, k].reshape(len(tallies), -1).sum(axis=1) for k in (OBSERVED, PIXELS)
        )
        return counted_events(self.name, self.threshold, observed, pixels)

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        unscored = tallies[:, PIXELS].reshape(len(tallies), tallies.shape[2], -1).sum(axis=2) == 0
        return {"leads": tallies.shape[2], "num_unscored_frames": int(unscored.sum())}

    def finish(self, mean: float) -> float:
        return 1 - mean

    def convention(self) -> str:
        return f"{super().convention()} Threshold {self.threshold:g}, window {self.window}."
