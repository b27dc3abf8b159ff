"""Coverage and width of prediction intervals."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, as_float, map_sum, weighted
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

DEFAULT = (0.025, 0.975)


class IntervalMetric(SampleMetric, ABC):
    """Base class of means over the valid pixels of forecasts with quantiles.

    Args:
        levels: Lower and upper quantile level of the interval. Other levels than 0.025 and 0.975
            have the percentage in the name, as in ``coverage_50``.

    Raises:
        ConfigError: If the levels are not ascending and between 0 and 1, or the method does not
            predict one of them.
    """

    requires = ("forecast", "quantiles")
    axes = ("lead", "channel")
    counts_pixels = True

    def __init__(self, *, levels: tuple[float, float] = DEFAULT) -> None:
        if len(levels) != 2 or not 0 < levels[0] < levels[1] < 1:
            raise ConfigError(
                f"{type(self).__name__}: levels={levels!r} must be two ascending numbers between "
                "0 and 1, as in (0.025, 0.975)"
            )
        self.levels = tuple(float(level) for level in levels)
        if self.levels != DEFAULT:
            self.name = f"{type(self).name}_{100 * (self.levels[1] - self.levels[0]):g}"
        super().__init__()

    @abstractmethod
    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:
        """Compute the quantity that is averaged, for each pixel (T, C, H, W)."""

    def measure(self, sample: Sample) -> Tally:
        lower, upper = (self._quantile(sample, level) for level in self.levels)
        found = self.at(lower, upper, as_float(sample["target"]))
        return Tally(total=map_sum(weighted(found, sample)), weight=map_sum(area(sample)))

    def _quantile(self, sample: Sample, level: float) -> Tensor:
        levels = sample["quantile_levels"].tolist()
        for known, quantile in zip(levels, sample["quantiles"], strict=True):
            if abs(known - level) < 1e-6:
                return as_float(quantile)
        shown = ", ".join(f"{known:g}" for known in levels)
        raise ConfigError(
            f"{type(self).__name__}: the method predicts the quantiles {shown}, not {level:g}; "
            "set levels to two of them"
        )

    def convention(self) -> str:
        lower, upper = self.levels
        return f"{super().convention()} From quantile {lower:g} to {upper:g}."


@METRICS.register_module()
class IntervalCoverage(IntervalMetric):
    """Share of valid pixels whose target lies inside the predicted interval, ends included.

    A calibrated interval from 2.5 to 97.5 % has a coverage of 0.95. A higher value means that it
    is too wide, not that the forecast is better.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``lightning_module.py`` (validation_step).

    Deviations:
        Upstream averages the shares of batches; this metric counts pixels, so the score does not
        depend on the batch size.
    """

    pools_units = True
    name = "coverage"
    unit = "1"
    higher_is_better = None

    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:
        inside = ((lower <= target) & (target <= upper)).float()
        # a comparison hides a NaN, which must reach the score
        return torch.where(lower.isnan() | upper.isnan() | target.isnan(), torch.nan, inside)


@METRICS.register_module()
class IntervalWidth(IntervalMetric):
    """Upper minus lower end of the predicted interval, mean over all valid pixels of all samples.

    Narrower is better only among intervals of equal coverage. Crossing ends count negative.
    """

    name = "width"
    unit = "{unit}"
    higher_is_better = None

    def at(self, lower: Tensor, upper: Tensor, target: Tensor) -> Tensor:  # noqa: ARG002
        return upper - lower
