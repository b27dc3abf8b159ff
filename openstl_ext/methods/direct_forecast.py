"""Forecast a block of frames in one forward pass."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import FrameModel, TimedFrameModel, provides
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets


@METHODS.register_module()
class DirectForecast(ForecastMethod):
    """Train a net that predicts a block of frames; forecast longer horizons by chaining blocks.

    A TimedFrameModel gets the times of the target frames, ``inputs["times"]``, and is not chained.
    A horizon shorter than the net's block is cut. A longer one feeds each block back to the net,
    also in training, where gradients pass through the chain.

    Args:
        net: Config of a FrameModel, or the net.
        loss: Config of the criterion.
        data_preprocessor: Config of the normalisation.

    Source:
        chengtan9907/OpenSTL@c74deb5, methods/simvp.py.
    """

    interface = FrameModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        loss: dict[str, Any],
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net)
        self.criterion = LOSSES.build(loss)

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        future = targets["frames"]
        forecast = self.forecast(inputs, horizon=future.shape[1])["forecast"]
        return {"loss_frames": self.criterion(forecast, future, targets.get("valid"))}

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        return {"forecast": forecast_blocks(self.net, inputs, horizon)}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        return {"net": net, "loss": {"type": "L2"}}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return waves that move by one pixel per frame, an hour apart, with the times of a day."""
        batch = ForecastMethod.toy_batch(size)
        batch["inputs"]["times"] = 3600 * torch.arange(24).expand(size, 24)
        return batch


def forecast_blocks(net: nn.Module, inputs: Inputs, horizon: int) -> Tensor:
    """Return the forecast of a FrameModel over a horizon: its block cut, or fed back to the net.

    Shape:
        - returns: (B, horizon, C, H, W).

    Raises:
        ShapeError: If a block that is fed back has not the shape of the input.
    """
    past = inputs["frames"]
    if provides(net, TimedFrameModel):
        return net(past, inputs.get("times"))[:, :horizon]
    blocks = [net(past)]
    while (length := sum(block.shape[1] for block in blocks)) < horizon:
        if blocks[-1].shape[1:] != past.shape[1:]:
            raise ShapeError(
                f"horizon={horizon} is longer than the block of {length} frames, so blocks are "
                f"chained and must have the shape of the input {tuple(past.shape[1:])}, but "
                f"{type(net).__name__} returned {tuple(blocks[-1].shape[1:])}"
            )
        blocks.append(net(blocks[-1]))
    return torch.cat(blocks, dim=1)[:, :horizon]
