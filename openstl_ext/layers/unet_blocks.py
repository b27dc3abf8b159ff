"""The way down and the way up of a U-Net."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.double_conv import DoubleConv
from openstl_ext.layers.layout import rearranged


class Down(nn.Module):
    """Halve a map by its maxima, then convolve twice.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.

    Shape:
        - x: (N, C, H, W); returns: (N, C', H // 2, W // 2). ``num_steps`` as in `DoubleConv`.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x: Tensor, num_steps: int = 1) -> Tensor:
        return self.conv(F.max_pool2d(x, 2), num_steps)


class Up(nn.Module):
    """Double a deep map, put it behind a finer one, convolve twice.

    Args:
        in_channels: Width of the deep and the finer map together.
        out_channels: Width of the output.
        mid_channels: Width between the two convolutions; None for that of the output.
        grow: What doubles the deep map and keeps its width, such as a transposed convolution; None
            for bilinear interpolation that keeps the corners.

    Shape:
        - deep: (N, C, h, w); skip: (N, C', H, W); returns: (N, D, H, W). Where 2 h or 2 w falls
          short, as pools round down, zeros fill up, the odd one at the far side.

    Source:
        xian1234/ST-Mamba@9dae127, models/common.py (Up) and models/unet.py (Up_fU).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        mid_channels: int | None = None,
        grow: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.grow = grow
        self.conv = DoubleConv(in_channels, out_channels, mid_channels=mid_channels)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        if rearranged(deep):  # one map in another order and all behind it are
            deep = deep.contiguous(memory_format=torch.channels_last)
            skip = skip.contiguous(memory_format=torch.channels_last)
        if self.grow is not None:
            deep = self.grow(deep)
        else:
            deep = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=True)
        rows, columns = (skip.shape[axis] - deep.shape[axis] for axis in (2, 3))
        if rows or columns:
            top, left = rows // 2, columns // 2
            deep = F.pad(deep, (left, columns - left, top, rows - top))
        return self.conv(torch.cat([skip, deep], dim=1))
