"""ConvLSTM that predicts several horizons at once, each with an interval."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import CovariateModel, HorizonForecast
from openstl_ext.layers.convlstm import ConvLSTMStack
from openstl_ext.layers.input_checks import needed, with_dynamic
from openstl_ext.layers.location_encoding import LocationEncoding
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count, Index

Crossing = Literal["allow", "forbid"]
CROSSINGS: tuple[str, ...] = ("allow", "forbid")


@MODELS.register_module()
class QuantileConvLSTM(nn.Module):
    """Encode all frames and covariates as one state; decode each horizon and its interval.

    The gradient of the interval's heads stops at the state, so that intervals cannot make the
    forecast worse.

    Args:
        hidden_channels: Width of each cell and of the central heads; the other heads have half.
        kernel_size: Side of the recurrent convolutions, in pixels, odd.
        num_layers: Number of cells.
        dynamic_channels: Number of covariates that have a value for each step.
        static_channels: Number of covariates that are constant in time.
        location_channels: Number of learnt features of each pixel's location; 0 for none.
        harmonic_degrees: Degrees of the spherical harmonics from which they are computed.
        location_hidden: Width of the net between harmonics and features.
        num_horizons: Number K of horizons.
        crossing: ``forbid`` predicts the interval as two distances from the central forecast,
            which softplus keeps positive. A sort would mix the three heads and their gradients, a
            clamp would give a head no gradient on the wrong side. Weights trained with one value
            cannot be used with the other.
        isolated: Whether the gradient of the interval's heads stops at the state.

    Shape:
        - frames: (B, T, 1, H, W); dynamic: (B, T, C, H, W); static: (B, C', H, W); lonlat:
          (B, 2, H, W), degrees.
        - returns: forecast (B, K, H, W); quantiles, lower and upper, (B, 2, K, H, W).

    Raises:
        ConfigError: If ``crossing`` is unknown.
        ShapeError: If a covariate that the net was built with is missing or has another shape.

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/spatiotemporal_predictor.py and
        lightning_module.py:285-309.

    Deviations:
        Upstream runs two backward passes and discards half of the second; the detached state gives
        equal gradients in one. Its intervals can cross: ``crossing="allow"``.
    """

    interface = CovariateModel
    flag_arguments = {"frames_out": "num_horizons"}

    def __init__(
        self,
        *,
        hidden_channels: Count = 64,
        kernel_size: Count = 3,
        num_layers: Count = 2,
        dynamic_channels: Index = 10,
        static_channels: Index = 7,
        location_channels: Index = 8,
        harmonic_degrees: Index = 10,
        location_hidden: Count = 64,
        num_horizons: Count = 4,
        crossing: Crossing = "allow",
        isolated: bool = True,
    ) -> None:
        super().__init__()
        if crossing not in CROSSINGS:
            raise ConfigError(f"crossing must be one of {', '.join(CROSSINGS)}, got {crossing!r}")
        self.dynamic_channels = dynamic_channels
        self.static_channels = static_channels
        self.num_horizons = num_horizons
        self.crossing = crossing
        self.isolated = isolated
        self.location: LocationEncoding | None = None
        if location_channels:
            self.location = LocationEncoding(
                location_channels, degrees=harmonic_degrees, hidden_channels=location_hidden
            )
        self.trunk = ConvLSTMStack(
            1 + dynamic_channels + static_channels + location_channels,
            hidden_channels,
            kernel_size=kernel_size,
            num_layers=num_layers,
        )
        self.central = _heads(num_horizons, hidden_channels, hidden_channels)
        self.lower = _heads(num_horizons, hidden_channels, hidden_channels // 2)
        self.upper = _heads(num_horizons, hidden_channels, hidden_channels // 2)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {
            "hidden_channels": 8,
            "num_layers": 1,
            "dynamic_channels": 2,
            "static_channels": 1,
            "location_channels": 2,
            "harmonic_degrees": 3,
            "location_hidden": 8,
        }

    def forward(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> HorizonForecast:
        steps = with_dynamic(frames, dynamic, self.dynamic_channels)
        state = self.trunk(steps, self._constant(frames, static, lonlat))
        central = _read(self.central, state)
        shared = state.detach() if self.isolated else state
        lower, upper = _read(self.lower, shared), _read(self.upper, shared)
        if self.crossing == "forbid":
            middle = (central.detach() if self.isolated else central).float()
            lower = middle - F.softplus(lower.float())
            upper = middle + F.softplus(upper.float())
        return HorizonForecast(central, torch.stack([lower, upper], dim=1))

    def _constant(
        self, frames: Tensor, static: Tensor | None, lonlat: Tensor | None
    ) -> Tensor | None:
        """Concatenate static covariates and the features of each pixel's location."""
        maps = [needed("static", static, self.static_channels, frames)]
        if self.location is not None:
            degrees = needed("lonlat", lonlat, 2, frames)
            maps.append(None if degrees is None else self.location(degrees))
        given = [field.to(frames.dtype) for field in maps if field is not None]
        return torch.cat(given, dim=1) if given else None


def _heads(count: int, in_channels: int, hidden_channels: int) -> nn.ModuleList:
    return nn.ModuleList(PixelHead(in_channels, hidden_channels) for _ in range(count))


def _read(heads: nn.ModuleList, state: Tensor) -> Tensor:
    """Apply one head per horizon, (B, K, H, W)."""
    return torch.cat([head(state) for head in heads], dim=1)


class PixelHead(nn.Sequential):
    """3x3 convolution, ReLU and 1x1 convolution to one value per pixel.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width between the convolutions.

    Shape:
        - input: (B, C, H, W); output: (B, 1, H, W).

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/spatiotemporal_predictor.py.
    """

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, hidden_channels, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, 1, kernel_size=1),
        )
