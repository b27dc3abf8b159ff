"""U-Net whose input channels are the stacked frames of a sequence."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import DenseModel
from openstl_ext.layers.input_checks import check_frames
from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.unet import DoubleConv, Down, Up
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class UNet(nn.Module):
    """Stack the frames as channels of one image and segment it.

    The first convolution has weights for each frame, so the number of frames is fixed.

    Args:
        in_channels: Channels C of a frame.
        num_steps: Number of stacked frames T.
        num_classes: Number K of logits per pixel; 1 for two classes.
        widths: Width of each level, finest first.
        bilinear: Whether maps are upsampled by bilinear interpolation; otherwise by transposed
            convolutions that keep their width.

    Shape:
        - frames: (B, T, C, H, W), H and W at least 2 ** n with n + 1 levels.
        - returns: logits (B, K, H, W).

    Raises:
        ShapeError: If the frames are too small, or have another number of frames or channels.

    Source:
        Ronneberger et al. (arXiv:1505.04597); xian1234/ST-Mamba@9dae127, models/unet.py
        (BaselineUNet in its first version).

    Deviations:
        Frames are (B, T, C, H, W); upstream takes them stacked, (B, T * C, H, W). Its weights fit
        any T and C with that product.
    """

    interface = DenseModel
    flag_arguments = {"frames_in": "num_steps"}

    def __init__(
        self,
        *,
        in_channels: Count,
        num_steps: Count,
        num_classes: Count = 1,
        widths: Sequence[Count] = (64, 128, 256, 512, 1024),
        bilinear: bool = True,
    ) -> None:
        super().__init__()
        self.in_channels, self.num_steps = in_channels, num_steps
        self.inlet = DoubleConv(num_steps * in_channels, widths[0])
        self.downs = nn.ModuleList(Down(*pair) for pair in pairwise(widths))
        self.ups = nn.ModuleList(
            Up(
                fine + deep,
                fine,
                grow=None if bilinear else nn.ConvTranspose2d(deep, deep, kernel_size=2, stride=2),
            )
            for deep, fine in pairwise(reversed(widths))
        )
        self.read = nn.Conv2d(widths[0], num_classes, kernel_size=1)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "num_steps": 4, "widths": (4, 8)}

    def forward(self, frames: Tensor) -> Tensor:
        least_side = 2 ** len(self.downs)
        check_frames("UNet", frames, channels=self.in_channels, least_side=least_side)
        if frames.shape[1] != self.num_steps:
            raise ShapeError(
                f"UNet was built for {self.num_steps} frames, each with its own weights; got "
                f"{frames.shape[1]}. Set `num_steps` to the number of frames in the data"
            )
        x = frames.flatten(1, 2)
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        maps = [self.inlet(x)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        *finer, x = maps
        for up, skip in zip(self.ups, reversed(finer), strict=True):
            x = up(x, skip)
        return self.read(x)
