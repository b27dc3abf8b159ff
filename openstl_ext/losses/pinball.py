"""Pinball loss, whose minimum is a quantile."""

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES


@LOSSES.register_module()
class Pinball(nn.Module):
    """Error with weight ``quantile`` below the target and ``1 - quantile`` above, mean over pixels.

    Among constants, the quantile of the target has the smallest loss. The quantiles 0.025 and 0.975
    are the two ends of an interval that should contain 95 % of the observations.

    Args:
        quantile: Share of the targets that should be below the prediction.

    Shape:
        - prediction, target, valid: same shape; returns: a scalar.

    Raises:
        ConfigError: If the quantile is not between 0 and 1.

    Source:
        Koenker and Bassett, Regression quantiles (1978).
    """

    def __init__(self, *, quantile: float) -> None:
        super().__init__()
        if not 0 < quantile < 1:
            raise ConfigError(f"quantile must be between 0 and 1, got {quantile}")
        self.quantile = quantile

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        error = target - prediction
        loss = torch.maximum(self.quantile * error, (self.quantile - 1) * error)
        return mean_over_valid(loss, valid)
