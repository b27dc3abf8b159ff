"""A denoising net as a deterministic forecaster, for comparisons of methods with one backbone."""

from typing import Any

from torch import Tensor, nn

from openstl_ext.interfaces import ConditionalDenoiser, FrameModel, check_interface
from openstl_ext.registry import MODELS


@MODELS.register_module()
class DeterministicDenoiser(nn.Module):
    """Forecast by a ConditionalDenoiser that receives no noise and the time 0.

    Args:
        net: Config of a ConditionalDenoiser, or the net.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T', C, H, W), as many frames as the net generates.

    Raises:
        ConfigError: If the net has another interface.
    """

    interface = FrameModel

    def __init__(self, *, net: dict[str, Any]) -> None:
        super().__init__()
        self.net = MODELS.build(net)
        check_interface(self, self.net, ConditionalDenoiser)
        self.in_channels = getattr(self.net, "in_channels", None)  # compared with the data

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        net = {"in_channels": 1, "num_inputs": 4, "num_targets": 4, "widths": (8, 8)}
        return {"net": {"type": "DenoisingUNet", **net}}

    def forward(self, frames: Tensor) -> Tensor:
        batch, _, channels, *size = frames.shape
        noisy = frames.new_zeros(batch, self.net.num_targets, channels, *size)
        return self.net(noisy, frames.new_zeros(batch), frames)
