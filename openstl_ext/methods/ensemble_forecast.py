"""Forecast an ensemble by several deterministic nets, or by one with dropout."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import FrameModel
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.methods.direct_forecast import DirectForecast, forecast_blocks
from openstl_ext.methods.flow_forecast import seeds_of
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Count


@METHODS.register_module()
class EnsembleForecast(ForecastMethod):
    """Train nets that differ in their initial weights, or one net whose dropout acts in forecasts.

    ``ensemble`` has the members and ``forecast`` their mean. Members of trained runs: load each
    run by a ``PretrainedHook``, the first into the part ``net``, the others into ``others.0``,
    ``others.1``, ...; a config without ``train_dataloader`` is then tested without training.

    Args:
        net: Config of a FrameModel. A finished net is copied, with its weights.
        loss: Config of the criterion; each net is trained by its own.
        num_members: Members M of the ensemble, at least two.
        dropout: Whether the members are one net with dropout or drop-path; the masks of a sample
            depend on its ``seed`` only. Weights are then those of ``DirectForecast``.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If there is one member, or dropout without a layer of it.

    Source:
        Lakshminarayanan et al., Deep ensembles (arXiv:1612.01474), without adversarial examples;
        Gal and Ghahramani, Dropout as a Bayesian approximation (arXiv:1506.02142).
    """

    interface = FrameModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        loss: dict[str, Any],
        num_members: Count = 4,
        dropout: bool = False,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if num_members < 2:
            raise ConfigError(
                "an ensemble of num_members=1 has no spread; use 2 or more, or DirectForecast"
            )
        self.num_members, self.dropout = num_members, dropout
        self.net = MODELS.build(net)
        further = 0 if dropout else num_members - 1
        self.others = nn.ModuleList(
            copy.deepcopy(net) if isinstance(net, nn.Module) else MODELS.build(net)
            for _ in range(further)
        )
        if dropout and not any(map(drops, self.net.modules())):
            raise ConfigError(
                f"dropout=True, but {type(self.net).__name__} drops nothing, so all members would "
                "be equal; set dropout or drop_path of the net"
            )
        self.criterion = LOSSES.build(loss)

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        future, terms = targets["frames"], {}
        for i, net in enumerate((self.net, *self.others)):
            forecast = forecast_blocks(net, inputs, future.shape[1])
            terms[f"loss_member_{i}"] = self.criterion(forecast, future, targets.get("valid"))
        return terms

    def forecast(self, inputs: Inputs, horizon: int) -> dict[str, Tensor]:
        if self.dropout:
            samples = range(len(inputs["frames"]))
            ensemble = torch.stack([self._dropped(inputs, i, horizon) for i in samples])
        else:
            nets = (self.net, *self.others)
            ensemble = torch.stack([forecast_blocks(net, inputs, horizon) for net in nets], dim=1)
        ensemble = ensemble.float()
        return {"forecast": ensemble.mean(dim=1), "ensemble": ensemble}

    def _dropped(self, inputs: Inputs, index: int, horizon: int) -> Tensor:
        """Return the members (M, T', C, H, W) of one sample of a batch.

        Dropout draws from the global generator, so samples are forecast one by one.
        """
        layers = [layer for layer in self.net.modules() if drops(layer)]
        modes = [layer.training for layer in layers]
        seed = int(seeds_of(inputs, self)[index])
        repeated: Any = {
            name: v[index].expand(self.num_members, *v.shape[1:]).contiguous()
            for name, v in inputs.items()
            if isinstance(v, Tensor)
        }
        device = repeated["frames"].device
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.default_generator.manual_seed(seed)
            if devices:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            try:
                for layer in layers:
                    layer.train()
                return forecast_blocks(self.net, repeated, horizon)
            finally:
                for layer, mode in zip(layers, modes, strict=True):
                    layer.train(mode)

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        return {"net": net, "loss": {"type": "L2"}, "num_members": 2}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return the batch of DirectForecast, whose nets this method works with."""
        return DirectForecast.toy_batch(size)


def drops(layer: nn.Module) -> bool:
    """Return whether a layer drops values or branches with a positive probability."""
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return layer.p > 0
    return type(layer).__name__ == "DropPath" and getattr(layer, "prob", 0) > 0
