"""Weighted sum of several losses."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.registry import LOSSES


@LOSSES.register_module()
class Sum(nn.Module):
    """Weighted sum of losses.

    Args:
        terms: Configs of the losses.
        weights: One factor per term; None for 1.

    Shape:
        - prediction, target, valid: same shape; returns: a scalar.

    Raises:
        ConfigError: If there is no term, or not one weight per term.
    """

    def __init__(
        self, *, terms: Sequence[dict[str, Any]], weights: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.terms = nn.ModuleList(LOSSES.build(term) for term in terms)
        self.weights = tuple(weights or [1.0] * len(terms))
        if not terms or len(self.weights) != len(terms):
            raise ConfigError(
                f"Sum needs at least one term and one weight per term, got {len(terms)} terms and "
                f"{len(self.weights)} weights"
            )

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        parts = [
            weight * term(prediction, target, valid)
            for weight, term in zip(self.weights, self.terms, strict=True)
        ]
        return sum(parts[1:], start=parts[0])
