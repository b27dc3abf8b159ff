"""Is a predicted interval honest, and is it narrow?"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import frame_sum, sum_over_valid
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class IntervalMetric(SampleMetric, ABC):
    """A mean over the valid pixels of forecasts that come with an interval.

    An answer without one, such as a baseline's, weighs nothing, so its score is NaN.

    Args:
        calibrated: Judge the interval after calibration, under ``<name>_calibrated``.
    """

    judges = "interval"
    counts_pixels = True

    def __init__(self, *, calibrated: bool = False) -> None:
        self.ending = "_calibrated" if calibrated else ""
        self.name = type(self).name + self.ending
        super().__init__()

    @abstractmethod
    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:
        """What is averaged, of each pixel (T, C, H, W)."""

    def measure(self, sample: Sample) -> Tally:
        lower, upper = (sample.get(end + self.ending) for end in ("lower", "upper"))
        valid = sample["valid"]
        weight = frame_sum(valid)
        if not isinstance(lower, Tensor) or not isinstance(upper, Tensor):
            nothing = torch.zeros_like(weight)
            return Tally(total=nothing, weight=nothing)
        found = self.at(lower, upper, sample["target"])
        return Tally(total=sum_over_valid(found, valid), weight=weight)

    def convention(self) -> str:
        return super().convention() + (" After calibration." if self.ending else "")


@METRICS.register_module()
class IntervalCoverage(IntervalMetric):
    """Share of valid pixels whose truth lies within the predicted interval, ends included.

    An honest interval from 2.5 to 97.5 % covers 0.95; more means too wide, not better.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``lightning_module.py`` (validation_step).

    Deviations:
        Upstream averages the shares of batches; we count pixels, so batch size does not matter.
    """

    name = "coverage"
    unit = "1"
    higher_is_better = None

    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:
        inside = ((lower <= target) & (target <= upper)).float()
        # a comparison hides a NaN, which must surface
        return torch.where(lower.isnan() | upper.isnan() | target.isnan(), torch.nan, inside)


@METRICS.register_module()
class IntervalWidth(IntervalMetric):
    """Upper less lower end of the predicted interval, mean over all valid pixels of all samples.

    Narrower is better only among intervals of the same coverage. Ends that cross count negative.
    """

    name = "width"
    unit = "data unit"
    higher_is_better = None

    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return upper - lower
