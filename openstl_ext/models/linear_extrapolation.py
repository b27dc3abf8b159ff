"""The forecast that everything goes on as it went."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import MODELS


@MODELS.register_module()
class LinearExtrapolation(nn.Module):
    """Add the last change again for each step: what a forecast of a trend has to beat.

    Blocks that are chained go on along the same line, so any horizon can be asked for.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ShapeError: If there is no frame before the last.
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
                f"a line needs two frames, and the inputs have {length}; give the dataset more "
                "input frames, or leave LinearExtrapolation out of the baselines"
            )
        last, change = frames[:, -1:], frames[:, -1:] - frames[:, -2:-1]
        steps = torch.arange(1, length + 1, device=frames.device).view(1, -1, 1, 1, 1)
        return last + steps * change
