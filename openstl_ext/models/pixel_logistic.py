"""Baseline: logistic regression of each pixel on its own time series."""

from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import DenseModel
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class PixelLogistic(nn.Module):
    """Linear combination of all bands of all frames at one pixel, without its neighbours.

    Its score is what the spectra alone explain. A better score of a net comes from spatial context
    or from interactions of bands and years.

    Args:
        in_channels: Channels C of a frame.
        num_steps: Number of frames T; each has its own weights.
        num_classes: Number K of logits per pixel; 1 for two classes.

    Shape:
        - frames: (B, T, C, H, W); returns: logits (B, K, H, W).

    Raises:
        ShapeError: If there is another number of frames or channels.
    """

    interface = DenseModel
    flag_arguments = {"frames_in": "num_steps"}

    def __init__(self, *, in_channels: Count, num_steps: Count, num_classes: Count = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_steps = num_steps
        self.read = nn.Conv2d(num_steps * in_channels, num_classes, kernel_size=1)
        nn.init.zeros_(self.read.weight)  # probability 0.5 everywhere; the loss is convex

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "num_steps": 4}

    def forward(self, frames: Tensor) -> Tensor:
        length, channels = frames.shape[1:3]
        if (length, channels) != (self.num_steps, self.in_channels):
            raise ShapeError(
                f"PixelLogistic has weights for {self.num_steps} frames of {self.in_channels} "
                f"channels; got {length} of {channels}; set `num_steps` and `in_channels`"
            )
        return self.read(frames.flatten(1, 2))
