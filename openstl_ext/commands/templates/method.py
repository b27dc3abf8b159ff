"""NewMethod: direct forecasting that weights the first leads more."""

from typing import Any

import torch
from torch import Tensor

from openstl_ext.interfaces import FrameModel
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets


@METHODS.register_module()
class NewMethod(ForecastMethod):
    """Train a FrameModel on the weighted mean of the losses of all leads.

    Args:
        net: Config of a FrameModel with at least as many frames as the horizon.
        loss: Config of the criterion.
        decay: Weight of a lead, as a share of that of the lead before.
        data_preprocessor: Config of the normalisation.
    """

    interface = FrameModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        loss: dict[str, Any],
        decay: float = 0.9,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net)
        self.criterion = LOSSES.build(loss)
        self.decay = decay

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Compute the terms to minimise (``loss_*``), and scalars to log."""
        future = targets["frames"]
        valid = targets.get("valid")
        forecast = self.forecast(inputs, horizon=future.shape[1])["forecast"]
        losses = [
            self.criterion(forecast[:, t], future[:, t], None if valid is None else valid[:, t])
            for t in range(future.shape[1])
        ]
        weight = self.decay ** torch.arange(len(losses), device=future.device)
        return {"loss_frames": (weight * torch.stack(losses)).sum() / weight.sum()}

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        """Predict ``forecast`` (B, horizon, C, H, W), normalised."""
        return {"forecast": self.net(inputs["frames"])[:, :horizon]}

    @classmethod
    def toy_arguments(cls, net: Any) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net, for tests."""
        return {"net": net, "loss": {"type": "L2"}}
