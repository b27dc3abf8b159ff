"""ConvLSTM that says several horizons at once, each with an interval."""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import CovariateModel, Quantiles
from openstl_ext.layers.convlstm import ConvLSTMStack
from openstl_ext.layers.input_checks import needed, with_dynamic
from openstl_ext.layers.location_encoding import LocationEncoding
from openstl_ext.registry import MODELS

Crossing = Literal["allow", "forbid"]
CROSSINGS: tuple[str, ...] = ("allow", "forbid")


@MODELS.register_module()
class QuantileConvLSTM(nn.Module):
    """Read all frames and covariates into one state; read each horizon and its interval off it.

    The heads of the interval see the state, but do not shape it: their gradient ends there, so
    that intervals cannot worsen the forecast that they surround.

    Args:
        hidden_channels: Width of each cell and of the central heads; the others have half of it.
        kernel_size: Side of the recurrent convolutions, in pixels, odd.
        num_layers: Number of cells.
        dynamic_channels: Covariates of each step.
        static_channels: Covariates that do not change.
        location_channels: Learnt features of each pixel's place; 0 for none.
        harmonic_degrees: Degrees of spherical harmonics below them.
        location_hidden: Width of the net between harmonics and features.
        num_horizons: Number K of horizons.
        crossing: ``forbid`` says the interval as two distances from the central forecast, which
            softplus keeps positive. A sort would mix the three and their gradients, a clamp would
            give a head no gradient on the wrong side. Weights learnt one way are none of the other.
        isolated: Whether the gradient of the interval's heads ends at the state.

    Shape:
        - frames: (B, T, 1, H, W); dynamic: (B, T, C, H, W); static: (B, C', H, W); lonlat:
          (B, 2, H, W), degrees.
        - returns: three times (B, K, H, W).

    Raises:
        ConfigError: If there is no such way to treat crossing quantiles.
        ShapeError: If a covariate that it was built with is absent or of another shape.

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/spatiotemporal_predictor.py and
        lightning_module.py:285-309.

    Deviations:
        Upstream goes back through the net twice and throws half of the second pass away; the
        detached state has equal gradients in one. Its intervals may cross: ``crossing="allow"``.
    """

    interface = CovariateModel

    def __init__(
        self,
        *,
        hidden_channels: int = 64,
        kernel_size: int = 3,
        num_layers: int = 2,
        dynamic_channels: int = 10,
        static_channels: int = 7,
        location_channels: int = 8,
        harmonic_degrees: int = 10,
        location_hidden: int = 64,
        num_horizons: int = 4,
        crossing: Crossing = "allow",
        isolated: bool = True,
    ) -> None:
        super().__init__()
        if crossing not in CROSSINGS:
            raise ConfigError(f"crossing is one of {', '.join(CROSSINGS)}, not {crossing!r}")
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
    ) -> Quantiles:
        steps = with_dynamic(frames, dynamic, self.dynamic_channels)
        state = self.trunk(steps, self._constant(frames, static, lonlat))
        central = _read(self.central, state)
        seen = state.detach() if self.isolated else state
        lower, upper = _read(self.lower, seen), _read(self.upper, seen)
        if self.crossing == "forbid":
            middle = (central.detach() if self.isolated else central).float()
            lower = middle - F.softplus(lower.float())
            upper = middle + F.softplus(upper.float())
        return Quantiles(central, lower, upper)

    def _constant(
        self, frames: Tensor, static: Tensor | None, lonlat: Tensor | None
    ) -> Tensor | None:
        """Static covariates, then what is learnt of each pixel's place."""
        maps = [needed("static", static, self.static_channels, frames)]
        if self.location is not None:
            place = needed("lonlat", lonlat, 2, frames)
            maps.append(None if place is None else self.location(place))
        shown = [field.to(frames.dtype) for field in maps if field is not None]
        return torch.cat(shown, dim=1) if shown else None


def _heads(count: int, in_channels: int, hidden_channels: int) -> nn.ModuleList:
    return nn.ModuleList(PixelHead(in_channels, hidden_channels) for _ in range(count))


def _read(heads: nn.ModuleList, state: Tensor) -> Tensor:
    """What the heads say, one a horizon (B, K, H, W)."""
    return torch.cat([head(state) for head in heads], dim=1)


class PixelHead(nn.Sequential):
    """A 3x3 convolution, a rectifier, and a number for each pixel.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width between.

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
