"""ConvLSTM that predicts the next frame of one variable from past frames and covariates."""

from typing import Any

from torch import Tensor, nn

from openstl_ext.interfaces import CovariateModel, HorizonForecast
from openstl_ext.layers.convlstm import ConvLSTMStack
from openstl_ext.layers.input_checks import needed, with_dynamic
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count, Index


@MODELS.register_module()
class CovariateConvLSTM(nn.Module):
    """Run a ConvLSTM over all frames and covariates; decode the next frame from the last state.

    It predicts the value, not the change, for one horizon. For longer horizons the method appends
    the prediction to the frames.

    Args:
        hidden_channels: Width of each cell.
        kernel_size: Side of the recurrent convolutions, in pixels, odd.
        num_layers: Number of cells.
        static_channels: Number of covariates that are constant in time, such as elevation.
        dynamic_channels: Number of covariates that have a value for each step.

    Shape:
        - frames: (B, T, 1, H, W); dynamic: (B, T, C, H, W); static: (B, C', H, W).
        - returns: one horizon, (B, 1, H, W), without an interval. ``lonlat`` is ignored.

    Raises:
        ShapeError: If a covariate that the net was built with is missing or has another shape.

    Source:
        GMoncrieff/spatio-temporal@4eb523d, src/models/spatiotemporal_predictor.py; the cell after
        Shi et al. (arXiv:1506.04214).
    """

    interface = CovariateModel

    def __init__(
        self,
        *,
        hidden_channels: Count = 16,
        kernel_size: Count = 3,
        num_layers: Count = 1,
        static_channels: Index = 1,
        dynamic_channels: Index = 0,
    ) -> None:
        super().__init__()
        self.static_channels = static_channels
        self.dynamic_channels = dynamic_channels
        self.trunk = ConvLSTMStack(
            1 + dynamic_channels + static_channels,
            hidden_channels,
            kernel_size=kernel_size,
            num_layers=num_layers,
        )
        self.head = nn.Conv2d(hidden_channels, 1, kernel_size=1)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"hidden_channels": 8, "static_channels": 1}

    def forward(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,  # noqa: ARG002
    ) -> HorizonForecast:
        steps = with_dynamic(frames, dynamic, self.dynamic_channels)
        constant = needed("static", static, self.static_channels, frames)
        return HorizonForecast(self.head(self.trunk(steps, constant)))
