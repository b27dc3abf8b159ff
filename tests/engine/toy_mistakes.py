"""Plugins with one mistake each."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.interfaces import FrameModel, RecurrentModel
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.registry import DATASETS, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from tests.engine.toy import ToyWaves


class OneWeight(nn.Module):
    """Multiply the frames by one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, frames: Tensor) -> Tensor:
        return frames * self.weight


@MODELS.register_module()
class NetWithoutInterface(OneWeight):
    """Declare nothing."""


@MODELS.register_module()
class NetWithPort(OneWeight):
    """Declare the interface under its old name."""

    port = FrameModel


@MODELS.register_module()
class StepNet(OneWeight):
    """Declare an interface that DirectForecast does not take."""

    interface = RecurrentModel


@MODELS.register_module()
class TwoChannelNet(OneWeight):
    """Return more channels than the data have."""

    interface = FrameModel

    def forward(self, frames: Tensor) -> Tensor:
        return super().forward(frames).repeat(1, 1, 2, 1, 1)


@MODELS.register_module()
class SmallNet(OneWeight):
    """Return frames of half the size."""

    interface = FrameModel

    def forward(self, frames: Tensor) -> Tensor:
        return super().forward(frames)[..., ::2, ::2]


class PlainForecast(ForecastMethod):
    """Minimise the mean squared error of a ToyNet."""

    interface = FrameModel

    def __init__(self, *, net: dict[str, Any]) -> None:
        super().__init__()
        self.net = MODELS.build(net)

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        return {"loss_frames": (self.net(inputs["frames"]) - targets["frames"]).square().mean()}

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        return {"forecast": self.net(inputs["frames"])[:, :horizon]}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        return {"net": net}


@METHODS.register_module()
class MethodWithoutInterface(PlainForecast):
    """Declare nothing."""

    interface = None  # type: ignore[assignment]


@METHODS.register_module()
class MethodWithPort(MethodWithoutInterface):
    """Declare the interface under its old name."""

    port = FrameModel


@METHODS.register_module()
class NoLoss(PlainForecast):
    """Return a term that is not minimised."""

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        return {"mse": super().loss(inputs, targets)["loss_frames"]}


@METHODS.register_module()
class LossPerSample(PlainForecast):
    """Return a term that is no scalar."""

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        return {"loss_frames": (self.net(inputs["frames"]) - targets["frames"]).square()}


@METHODS.register_module()
class NotFinite(PlainForecast):
    """Return a term that is infinite."""

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        return {"loss_frames": super().loss(inputs, targets)["loss_frames"] / 0}


@METHODS.register_module()
class ShortForecast(PlainForecast):
    """Return fewer frames than the horizon."""

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        return super().forecast(inputs, horizon - 1)


@METHODS.register_module()
class WideForecast(PlainForecast):
    """Return frames of twice the width."""

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        return {"forecast": super().forecast(inputs, horizon)["forecast"].repeat(1, 1, 1, 1, 2)}


@METHODS.register_module()
class Unnamed(PlainForecast):
    """Return no field with the name of the forecast."""

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        return {"frames": super().forecast(inputs, horizon)["forecast"]}


@DATASETS.register_module()
class WavesWithoutMetainfo(ToyWaves):
    """Declare nothing about the data."""

    metainfo = None  # type: ignore[assignment]
