"""Scores of predicted quantiles."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.area import AreaMetric
from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.frames import area, as_float, frame_sum, map_sum, weighted
from openstl_ext.metrics.tallies import TOTAL, WEIGHT, exact_sums
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

NOMINAL = 2
"""Position of the levels, times the area, in the sums."""


def is_ascending(numbers: Sequence[float]) -> bool:
    """Return whether each number is above the one before."""
    return all(one < other for one, other in itertools.pairwise(numbers))


def pinball(quantiles: Tensor, levels: Tensor, target: Tensor) -> Tensor:
    """Return the quantile loss of each level and pixel.

    Shape:
        - quantiles: (Q, ...); levels: (Q,); target: (...); returns: (Q, ...).

    Source:
        Koenker and Bassett, Regression quantiles, 1978.
    """
    share = levels.view(-1, *[1] * target.ndim).to(quantiles)
    gap = target - quantiles
    return torch.maximum(share * gap, (share - 1) * gap)


class QuantileMetric(AreaMetric, ABC):
    """Base class of scores of quantiles; NaN for a forecast without them, as a baseline has.

    The record states the levels in the convention: scores of other levels cannot be compared.

    Args:
        levels: Levels to score, ascending; None for all that the method predicts. State them where
            methods of other levels are to be in one table.
        latitudes: As in ``AreaMetric``.

    Raises:
        ConfigError: If the levels do not ascend between 0 and 1, or the method lacks one of them.
    """

    requires = ("forecast", "quantiles")

    def __init__(
        self,
        *,
        levels: tuple[float, ...] | None = None,
        latitudes: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(latitudes=latitudes)
        if levels is not None and not (levels and is_ascending((0, *levels, 1))):
            raise ConfigError(
                f"{type(self).__name__}: levels={levels!r} must be ascending numbers between 0 and "
                "1, as in (0.1, 0.5, 0.9)"
            )
        self.levels = None if levels is None else tuple(map(_six_digits, levels))
        self._found: tuple[float, ...] = self.levels or ()

    def measure(self, sample: Sample) -> Tally:
        """Compute the tally of one sample, of the levels to score."""
        known = list(map(_six_digits, sample["quantile_levels"].tolist()))
        self._found = self.levels or tuple(known)
        if missing := [level for level in self._found if level not in known]:
            raise ConfigError(
                f"{type(self).__name__}: the method predicts the quantiles "
                f"{', '.join(f'{level:g}' for level in known)}, not {missing[0]:g}; set levels to "
                "some of them"
            )
        places = [known.index(level) for level in self._found]
        levels = sample["quantile_levels"][places].double()
        return self.measure_at({**sample, "quantiles": sample["quantiles"][places]}, levels)

    @abstractmethod
    def measure_at(self, sample: Sample, levels: Tensor) -> Tally:
        """Compute the tally of one sample, whose quantiles (Q, T, C, H, W) have levels (Q,)."""

    def convention(self) -> str:
        levels = ", ".join(f"{level:g}" for level in self._found)
        return f"{super().convention()} Levels {levels}." if levels else super().convention()


def _six_digits(level: float) -> float:
    """Return a level as it is named; one of float32 has other digits further on."""
    return float(f"{level:g}")


@METRICS.register_module()
class CRPSQuantiles(QuantileMetric):
    """Twice the mean quantile loss of all levels, mean over all valid pixels.

    With evenly spaced levels it approaches the continuous ranked probability score as their number
    grows; only forecasts with the same levels can be compared.

    Source:
        Gneiting and Ranjan, Comparing density forecasts, 2011; ``crps_quantile`` of scoringrules.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    name = "crps_quantiles"
    unit = "{unit}"
    higher_is_better = False

    def measure_at(self, sample: Sample, levels: Tensor) -> Tally:
        quantiles, target = as_float(sample["quantiles"]), as_float(sample["target"])
        found = 2 * pinball(quantiles, levels, target).mean(dim=0)
        return Tally(total=map_sum(weighted(found, sample)), weight=map_sum(area(sample)))


@METRICS.register_module()
class QuantileReliability(QuantileMetric):
    """Mean absolute difference of the levels of quantiles and the shares of targets below them.

    ``quantile_reliability[0]`` is the share of valid pixels, by area, whose target is at or below
    the first quantile, and so on, ``quantile_reliability[0]@3`` that of one lead; 0 overall is a
    calibrated forecast.

    Source:
        Gneiting, Balabdaoui and Raftery, Probabilistic forecasts, calibration and sharpness, 2007.
    """

    axes = ("lead", "level")
    pools_units = True
    name = "quantile_reliability"
    unit = "1"
    higher_is_better = False

    def measure_at(self, sample: Sample, levels: Tensor) -> Tally:
        quantiles, target = as_float(sample["quantiles"]), as_float(sample["target"])
        unknown = quantiles.isnan() | target.isnan()
        below = torch.where(unknown, torch.nan, (target <= quantiles).float())
        total = torch.stack([frame_sum(weighted(each, sample)) for each in below], dim=1)
        weight = frame_sum(area(sample))[:, None].expand_as(total)
        return Tally(total=total, weight=weight, more=(levels * weight,))

    def part(self, sums: np.ndarray) -> float:
        return self.combine(exact_sums(sums[..., 0].T))

    def overall(self, sums: np.ndarray) -> float:
        pooled = exact_sums(np.moveaxis(sums, 1, 0))
        if not pooled[WEIGHT].any():
            return math.nan
        return float(np.abs((pooled[TOTAL] - pooled[NOMINAL]) / pooled[WEIGHT]).mean())

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        number = len(sample["quantiles"]) if "quantiles" in sample else 1
        return (len(sample["target"]), len(self.levels) if self.levels else number)
