"""Scores of ensembles: equally likely forecasts of one sample."""

import math
from abc import ABC

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import DataError
from openstl_ext.metrics.area import AreaMetric
from openstl_ext.metrics.base import Tally
from openstl_ext.metrics.frames import area, as_float, frame_sum, map_sum, weighted
from openstl_ext.metrics.tallies import TOTAL, WEIGHT, exact_sums
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class EnsembleMetric(AreaMetric, ABC):
    """Base class of scores of several members; NaN for a single forecast, such as a baseline.

    Args:
        latitudes: As in ``AreaMetric``.
    """

    requires: tuple[str, ...] = ("forecast", "ensemble")

    def members(self, sample: Sample) -> Tensor:
        """Return the ensemble (M, T, C, H, W), in float64: sums of members nearly cancel.

        Raises:
            DataError: If it has one member only.
        """
        ensemble = sample["ensemble"].double()
        if len(ensemble) < 2:
            raise DataError(
                f"{type(self).__name__}: an ensemble of {len(ensemble)} has no spread; set the "
                "method's num_members to 2 or more, or remove the metric"
            )
        return ensemble


def mean_difference(members: Tensor, *, fair: bool) -> Tensor:
    """Return half the mean absolute difference of two members of each pixel.

    The members are sorted, so that the cost grows as M log M instead of M squared.

    Args:
        members: The ensemble (M, ...).
        fair: Whether the two members are distinct.
    """
    number = len(members)
    ranked = members.sort(dim=0).values
    factor = 2.0 * torch.arange(1, number + 1, device=members.device) - number - 1
    total = (factor.view(-1, *[1] * (members.ndim - 1)) * ranked).sum(dim=0)
    return total / (number * (number - 1 if fair else number))


@METRICS.register_module()
class CRPS(EnsembleMetric):
    """Continuous ranked probability score of an ensemble, mean over all valid pixels.

    The mean absolute error of a member less half the mean absolute difference of two members. A
    single forecast has its absolute error, so that it can be compared.

    Source:
        Gneiting and Raftery, Strictly proper scoring rules, prediction, and estimation, 2007.
    """

    requires = ("forecast",)
    axes = ("lead", "channel")
    counts_pixels = True
    name = "crps"
    unit = "{unit}"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        single = sample["forecast"][None].double()
        members = self.members(sample) if "ensemble" in sample else single
        error = (members - as_float(sample["target"])).abs().mean(dim=0)
        found = error - mean_difference(members, fair=False)
        return Tally(total=map_sum(weighted(found, sample)), weight=map_sum(area(sample)))


@METRICS.register_module()
class FairCRPS(EnsembleMetric):
    """Fair continuous ranked probability score of an ensemble, mean over all valid pixels.

    An estimate of the score of an ensemble without end: the difference is that of two distinct
    members, so that ensembles of different sizes can be compared.

    Source:
        Ferro, Fair scores for ensemble forecasts, 2014.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    name = "crps_fair"
    unit = "{unit}"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        members = self.members(sample)
        error = (members - as_float(sample["target"])).abs().mean(dim=0)
        found = error - mean_difference(members, fair=True)
        return Tally(total=map_sum(weighted(found, sample)), weight=map_sum(area(sample)))


@METRICS.register_module()
class EnergyScore(EnsembleMetric):
    """Energy score of whole frames: the continuous ranked probability score of vectors.

    Distances are those of all valid pixels and channels of a frame, each square times its area. It
    sees whether pixels vary together, which a score of single pixels does not.

    Source:
        Gneiting and Raftery, Strictly proper scoring rules, prediction, and estimation, 2007.
    """

    name = "energy_score"
    unit = "{unit}"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        members = self.members(sample)

        def distance(fields: Tensor) -> Tensor:
            """Return the lengths (M, T) of differences (M, T, C, H, W)."""
            squares = torch.stack([frame_sum(weighted(f.square(), sample)) for f in fields])
            return squares.sqrt()

        error = distance(members - as_float(sample["target"])).mean(dim=0)
        spread = torch.stack([distance(members - one).mean(dim=0) for one in members]).mean(dim=0)
        scored = frame_sum(area(sample)) > 0
        return Tally(total=torch.where(scored, error - spread / 2, 0.0), weight=scored.double())


@METRICS.register_module()
class SpreadSkill(EnsembleMetric):
    """Spread of the members over the error of their mean, of all valid pixels; best is 1.

    The root of the mean variance, times (M + 1) / M, over the mean squared error of the ensemble
    mean: a reliable ensemble of any size has 1, one below 1 is too sure.

    Source:
        Fortin et al., Why should ensemble spread match the RMSE of the ensemble mean?, 2014.
    """

    axes = ("lead", "channel")
    counts_pixels = True
    name = "spread_skill"
    unit = "1"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        members = self.members(sample)
        number = len(members)
        variance = members.var(dim=0, correction=1) * (number + 1) / number
        error = (members.mean(dim=0) - as_float(sample["target"])).square()
        return Tally(
            total=map_sum(weighted(variance, sample)), weight=map_sum(weighted(error, sample))
        )

    def finish(self, mean: float) -> float:
        return math.sqrt(mean)


@METRICS.register_module()
class RankHistogram(EnsembleMetric):
    """Distance of the rank histogram from a flat one: the sum of absolute differences of shares.

    ``rank_histogram[k]`` is the share of valid pixels, by area, whose target has k members below
    it, ``rank_histogram[k]@3`` that of one lead. A reliable ensemble has equal shares; a hill means
    too much spread, a valley too little. A target that equals members is divided equally among the
    ranks that it may have.

    Source:
        Hamill, Interpretation of rank histograms for verifying ensemble forecasts, 2001.
    """

    axes = ("lead", "rank")
    pools_units = True
    name = "rank_histogram"
    unit = "1"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        members, target = self.members(sample), as_float(sample["target"])
        below = (members < target).sum(dim=0)
        equal = (members == target).sum(dim=0)
        known = ~(members.isnan().any(dim=0) | target.isnan())
        share = torch.where(known, 1 / (equal.double() + 1), torch.nan)
        weight = area(sample)
        counts = []
        for rank in range(len(members) + 1):
            possible = (below <= rank) & (rank <= below + equal)
            found = torch.where(possible & sample["valid"], share * weight, 0.0)
            counts.append(frame_sum(found))
        total = torch.stack(counts, dim=1)
        return Tally(total=total, weight=frame_sum(weight)[:, None].expand_as(total))

    def part(self, sums: np.ndarray) -> float:
        return self.combine(exact_sums(sums[..., 0].T))

    def overall(self, sums: np.ndarray) -> float:
        ranks = exact_sums(np.moveaxis(sums, 1, 0))
        if not ranks[WEIGHT].any():
            return math.nan
        shares = ranks[TOTAL] / ranks[WEIGHT]
        return float(np.abs(shares - 1 / len(shares)).sum())

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        ranks = len(sample["ensemble"]) + 1 if "ensemble" in sample else 1
        return (len(sample["target"]), ranks)
