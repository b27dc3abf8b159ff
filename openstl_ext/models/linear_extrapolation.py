"""Baseline: continue the last change linearly."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import MODELS


@MODELS.register_module()
class LinearExtrapolation(nn.Module):
    """Add the change between the last two frames again for each future step.

    Chained outputs continue the same line, so any horizon is possible.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ShapeError: If there are fewer than two frames.
    """

    interface = FrameModel

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        length = frames.shape[1]
        if length < 2:
            raise ShapeError(
                f"LinearExtrapolation needs two input frames or more, got {length}; use more "
                "input frames, or remove LinearExtrapolation from the baselines"
            )
        last, change = frames[:, -1:], frames[:, -1:] - frames[:, -2:-1]
        steps = torch.arange(1, length + 1, device=frames.device).view(1, -1, 1, 1, 1)
        return last + steps * change
