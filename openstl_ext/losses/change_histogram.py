"""Loss between the histograms of forecast and observed change."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pixel import filled
from openstl_ext.registry import LOSSES
from openstl_ext.value_types import Positive

EDGES = (-1.0, -0.005, 0.005, 0.02, 0.1, 0.2, 0.4, 0.6, 1.0)
"""Bins of change of the Human Modification index, which is from 0 to 1."""


@LOSSES.register_module()
class ChangeHistogram(nn.Module):
    """Squared distance between the histograms of forecast and observed change.

    Most pixels do not change, so a forecast of no change has a small error in every pixel. This
    loss requires that the amount of forecast change equals the observed amount, anywhere in the
    frame. Bins are soft: an edge is a sigmoid, because hard bins have no gradient; with temperature
    0 the bins would be hard. The distance is a sum over inner edges: (difference of the shares
    below the edge)^2, times the distance between the centres of the two adjacent bins, times the
    weight of the lower bin.

    Args:
        edges: Edges of the bins, ascending, in units of the index. The outer two bins are open;
            the first and the last edge only define their centres.
        scale: Factor that converts a change to the unit of the edges: the standard deviation of
            z-scored values, 0.0001 for an index from 0 to 10000.
        temperature: Softness of an edge, as a share of the narrower adjacent bin.
        bin_weights: One weight per bin; None for 1. ``inverse_frequency`` computes weights.

    Shape:
        - prediction, target, valid: (..., C, H, W), changes since the last known frame, with one
          histogram per (C, H, W); returns: a scalar, mean over histograms with a valid pixel.

    Raises:
        ConfigError: If edges do not ascend, there is not one weight per bin, or the temperature is
            not positive.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``src/models/histogram_loss.py``.

    Deviations:
        Upstream counts hard bins, so its term has no gradient, and it puts z-scored changes into
        bins in units of the index. It ignores changes beyond the outer edges; here they are in the
        outer bins. Without a valid pixel it counts two equal histograms; this loss counts none.
    """

    inner: Tensor
    softness: Tensor
    importance: Tensor

    def __init__(
        self,
        *,
        edges: Sequence[float] = EDGES,
        scale: Positive = 1.0,
        temperature: Positive = 0.25,
        bin_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        widths = [right - left for left, right in pairwise(edges)]
        weights = [1.0] * len(widths) if bin_weights is None else list(bin_weights)
        if len(widths) < 2 or min(widths) <= 0:
            raise ConfigError(f"edges must ascend and have at least two bins, got {list(edges)}")
        if len(weights) != len(widths):
            raise ConfigError(
                f"{len(widths)} bins need {len(widths)} bin_weights, got {len(weights)}"
            )
        if temperature <= 0:
            raise ConfigError(f"temperature must be positive, got {temperature}")
        self.scale = float(scale)
        soft = [temperature * min(pair) for pair in pairwise(widths)]
        distances = [(left + right) / 2 for left, right in pairwise(widths)]  # between centres
        self.register_buffer("inner", torch.tensor(edges[1:-1]), persistent=False)
        self.register_buffer("softness", torch.tensor(soft), persistent=False)
        # at the upper edge of the last bin both shares are 1, so its weight has no effect
        importance = [gap * weight for gap, weight in zip(distances, weights, strict=False)]
        self.register_buffer("importance", torch.tensor(importance), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        valid = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
        predicted, observed = (self.cumulative(change, valid) for change in (prediction, target))
        distance = ((predicted - observed).square() * self.importance).sum(dim=-1)
        evaluated = valid.flatten(-3).any(dim=-1)
        return distance.sum() / evaluated.sum().clamp(min=1)

    def cumulative(self, change: Tensor, valid: Tensor) -> Tensor:
        """Compute the share of valid pixels below each inner edge; 0 without valid pixels.

        Shape:
            - change, valid: (..., C, H, W), finite everywhere; returns: (..., number of bins - 1).
        """
        change = change * self.scale
        below = [
            torch.where(valid, torch.sigmoid((edge - change) / soft), 0.0).flatten(-3).sum(dim=-1)
            for edge, soft in zip(self.inner, self.softness, strict=True)
        ]
        count = valid.flatten(-3).sum(dim=-1).clamp(min=1)
        return torch.stack(below, dim=-1) / count.unsqueeze(-1)


def inverse_frequency(counts: Sequence[float], *, floor: float = 1e-3) -> list[float]:
    """Compute bin weights from the inverse frequency of each bin, normalised to a mean of 1.

    Args:
        counts: Number of training pixels in each bin.
        floor: Added to each share, so that an empty bin does not dominate.
    """
    total = sum(counts) or 1.0
    weights = [1 / (count / total + floor) for count in counts]
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]
