"""The criterion whose minimum is a quantile."""

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.losses.pixel import filled, mean_over_valid
from openstl_ext.registry import LOSSES


@LOSSES.register_module()
class Pinball(nn.Module):
    """Error that costs ``quantile`` below the truth and ``1 - quantile`` above, mean over pixels.

    Among constants, the quantile of the truth costs least: 0.025 and 0.975 make the two ends of an
    interval that should hold 95 % of what comes true.

    Args:
        quantile: Share of the truth that should lie below the prediction.

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
            raise ConfigError(f"a quantile lies between 0 and 1, and {quantile} does not")
        self.quantile = quantile

    def forward(self, prediction: Tensor, target: Tensor, valid: Tensor | None = None) -> Tensor:
        prediction, target = filled(prediction, target, valid)
        missed = target - prediction
        cost = torch.maximum(self.quantile * missed, (self.quantile - 1) * missed)
        return mean_over_valid(cost, valid)
