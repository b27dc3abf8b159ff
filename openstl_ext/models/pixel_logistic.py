"""Logistic regression of each pixel on its own series."""

from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import DenseModel
from openstl_ext.registry import MODELS


@MODELS.register_module()
class PixelLogistic(nn.Module):
    """Weigh every band of every frame at a pixel, and nothing around it.

    The baseline that a proof of learning needs: what it reaches is in the spectra alone, and only
    what a net reaches beyond is owed to space or to an interplay of bands and years.

    Args:
        in_channels: Channels C of a frame.
        num_steps: Number of frames T; each has weights of its own.
        num_classes: Logits K a pixel; one where there are two classes.

    Shape:
        - frames: (B, T, C, H, W); returns: logits (B, K, H, W).

    Raises:
        ShapeError: If frames are of another number or have other channels.
    """

    interface = DenseModel

    def __init__(self, *, in_channels: int, num_steps: int, num_classes: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.num_steps = num_steps
        self.read = nn.Conv2d(num_steps * in_channels, num_classes, kernel_size=1)
        nn.init.zeros_(self.read.weight)  # the loss is convex, and this is where all are undecided

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "num_steps": 4}

    def forward(self, frames: Tensor) -> Tensor:
        length, channels = frames.shape[1:3]
        if (length, channels) != (self.num_steps, self.in_channels):
            raise ShapeError(
                f"PixelLogistic has weights for {self.num_steps} frames of {self.in_channels} "
                f"channels; got {length} of {channels}"
            )
        return self.read(frames.flatten(1, 2))
