"""How often change of each size is forecast, against how often it came true."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pixel import filled
from openstl_ext.registry import LOSSES

EDGES = (-1.0, -0.005, 0.005, 0.02, 0.1, 0.2, 0.4, 0.6, 1.0)
"""Bins of change of the Human Modification index, which is from 0 to 1."""


@LOSSES.register_module()
class ChangeHistogram(nn.Module):
    """Squared distance between the histograms of change that is forecast and that came true.

    Most pixels do not change, so a forecast of no change is nearly right in every pixel and says
    nothing of where growth ends. This criterion asks that as much change is forecast as came
    true, wherever in the frame it lies. Bins are soft: an edge is a sigmoid, or no gradient
    would pass; as the temperature goes to 0, hard bins are left. The distance is a sum over inner
    edges: (difference of the shares below it)^2, times the way between the centres of the two bins
    beside it, times the weight of the lower one.

    Args:
        edges: Of the bins, ascending, in units of the index; the outer two bins are open, and the
            first and the last edge only say where their centres lie.
        scale: Factor that brings a change back to the unit of the edges: the standard deviation
            of what was z-scored, 0.0001 for an index from 0 to 10000.
        temperature: Softness of an edge, as a share of the narrower of the bins beside it.
        bin_weights: One a bin; without them all are 1. ``inverse_frequency`` makes some.

    Shape:
        - prediction, target, valid: (..., C, H, W), changes since the last known frame, a
          histogram for each (C, H, W); returns: a scalar, mean over histograms of any pixel.

    Raises:
        ConfigError: If edges do not ascend, there is not one weight a bin, or the temperature is
            not positive.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``src/models/histogram_loss.py``.

    Deviations:
        Upstream counts hard bins, so that its term has no gradient, and it puts z-scored changes
        into bins in units of the index. It leaves out changes beyond the outer edges; here they
        are in the outer bins. Where no pixel is valid, it has two equal histograms; we count none.
    """

    inner: Tensor
    softness: Tensor
    importance: Tensor

    def __init__(
        self,
        *,
        edges: Sequence[float] = EDGES,
        scale: float = 1.0,
        temperature: float = 0.25,
        bin_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        widths = [right - left for left, right in pairwise(edges)]
        weights = [1.0] * len(widths) if bin_weights is None else list(bin_weights)
        if len(widths) < 2 or min(widths) <= 0:
            raise ConfigError(f"edges of two bins or more must ascend, and {list(edges)} do not")
        if len(weights) != len(widths):
            raise ConfigError(f"{len(widths)} bins need as many bin_weights, got {len(weights)}")
        if temperature <= 0:
            raise ConfigError(f"temperature must be positive, got {temperature}")
        self.scale = float(scale)
        soft = [temperature * min(pair) for pair in pairwise(widths)]
        ways = [(left + right) / 2 for left, right in pairwise(widths)]  # between centres
        self.register_buffer("inner", torch.tensor(edges[1:-1]), persistent=False)
        self.register_buffer("softness", torch.tensor(soft), persistent=False)
        # the upper end of the last bin is no inner edge: both shares are 1 there
        importance = [way * weight for way, weight in zip(ways, weights, strict=False)]
        self.register_buffer("importance", torch.tensor(importance), persistent=False)

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        valid = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
        said, true = (self.cumulative(change, valid) for change in (prediction, target))
        distance = ((said - true).square() * self.importance).sum(dim=-1)
        judged = valid.flatten(-3).any(dim=-1)
        return distance.sum() / judged.sum().clamp(min=1)

    def cumulative(self, change: Tensor, valid: Tensor) -> Tensor:
        """Share of valid pixels below each inner edge; 0 where there are none.

        Shape:
            - change, valid: (..., C, H, W), gaps finite; returns: (..., number of bins - 1).
        """
        change = change * self.scale
        below = [
            torch.where(valid, torch.sigmoid((edge - change) / soft), 0.0).flatten(-3).sum(dim=-1)
            for edge, soft in zip(self.inner, self.softness, strict=True)
        ]
        count = valid.flatten(-3).sum(dim=-1).clamp(min=1)
        return torch.stack(below, dim=-1) / count.unsqueeze(-1)


def inverse_frequency(counts: Sequence[float], *, floor: float = 1e-3) -> list[float]:
    """Bin weights that make rare change count: inverse shares, of mean 1.

    Args:
        counts: Pixels in each bin, of some training data.
        floor: Added to each share, so that an empty bin does not outweigh all.
    """
    total = sum(counts) or 1.0
    weights = [1 / (count / total + floor) for count in counts]
    mean = sum(weights) / len(weights)
    return [weight / mean for weight in weights]
