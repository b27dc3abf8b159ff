"""Baseline: repeat the last frame."""

from typing import Any

from torch import Tensor, nn

from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import MODELS


@MODELS.register_module()
class Persistence(nn.Module):
    """Forecast the last input frame for every lead.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T, C, H, W), all equal to the last frame.
    """

    interface = FrameModel

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        return frames[:, -1:].expand_as(frames)
