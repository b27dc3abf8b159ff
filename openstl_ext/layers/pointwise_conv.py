"""1x1 convolution."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.layout import rearranged


class PointwiseConv2d(nn.Conv2d):
    """Mix the channels of each pixel on its own.

    On CPUs in bf16 it is computed as the matrix product that it is, because the library's gradient
    of a convolution with respect to its weight takes twice as long. The names of the weights, and
    the numbers up to rounding, are those of ``nn.Conv2d``.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.

    Shape:
        - input: (N, C, H, W); output: (N, C', H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        kind = x.device.type
        low = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16
        if not low or not rearranged(x):
            return super().forward(x)
        (n, _, height, width), pixels = x.shape, x.permute(0, 2, 3, 1).flatten(0, 2)
        mixed = F.linear(pixels, self.weight.flatten(1), self.bias)
        return mixed.view(n, height, width, -1).permute(0, 3, 1, 2)
