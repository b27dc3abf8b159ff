"""NewModel: continue the last change, with a learnt correction."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import MODELS


@MODELS.register_module()
class NewModel(nn.Module):
    """Extrapolate the last two frames, and add a correction by two convolutions.

    Args:
        num_frames: Number T of frames of the input, and of the forecast.
        channels: Channels C of a frame.
        width: Channels of the hidden layer.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T, C, H, W).
    """

    interface = FrameModel

    def __init__(self, *, num_frames: int, channels: int, width: int = 32) -> None:
        super().__init__()
        folded = num_frames * channels
        self.correction = nn.Sequential(
            nn.Conv2d(folded, width, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv2d(width, folded, kernel_size=3, padding=1),
        )

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"num_frames": 4, "channels": 1, "width": 8}

    def forward(self, frames: Tensor) -> Tensor:
        """Forecast as many frames as the input has."""
        last, change = frames[:, -1:], frames[:, -1:] - frames[:, -2:-1]
        lead = torch.arange(1, frames.shape[1] + 1, device=frames.device).view(1, -1, 1, 1, 1)
        return last + lead * change + self.correction(frames.flatten(1, 2)).view_as(frames)
