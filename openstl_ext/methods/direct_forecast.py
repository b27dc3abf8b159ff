"""Forecasting all frames in one shot."""

from typing import Any

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import FrameModel
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets


@METHODS.register_module()
class DirectForecast(ForecastMethod):
    """Train a net that says a whole block of frames at once; forecast by chaining blocks.

    A horizon shorter than the net's block is cut; a longer one feeds each block back in, also in
    training, where gradients pass through the chain.

    Args:
        net: Config of a FrameModel.
        loss: Config of the criterion.
        data_preprocessor: Config of the border between data units and normalised units.

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
        past = inputs["frames"]
        blocks = [self.net(past)]
        while (said := sum(block.shape[1] for block in blocks)) < horizon:
            if blocks[-1].shape[1:] != past.shape[1:]:
                raise ShapeError(
                    f"a horizon of {horizon} needs chained blocks, so the net's output must be "
                    f"shaped like its input {tuple(past.shape[1:])}; after {said} frames it is "
                    f"{tuple(blocks[-1].shape[1:])}"
                )
            blocks.append(self.net(blocks[-1]))
        return {"forecast": torch.cat(blocks, dim=1)[:, :horizon]}

    @classmethod
    def toy(cls, net: Any = None) -> "DirectForecast":
        """Return a small instance around a net of the interface, for the tests."""
        if net is None:
            net = MODELS.build({"type": "SimVP", **MODELS.get("SimVP").toy_arguments()})
        return cls(net=net, loss={"type": "L2"})
