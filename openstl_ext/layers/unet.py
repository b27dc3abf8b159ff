"""Building blocks of U-Nets."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.step_batch_norm import StepBatchNormReLU


class DoubleConv(nn.Module):
    """Two 3x3 convolutions, each with batch norm and ReLU.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.
        mid_channels: Width between the two; None for that of the output.

    Shape:
        - x: (N, C, H, W); returns: (N, C', H, W). With ``num_steps`` T, N is T * B, time slowest,
          and in training each step is normalised separately.

    Source:
        Ronneberger et al., U-Net (arXiv:1505.04597), with batch norms, which were added later;
        xian1234/ST-Mamba@9dae127, models/common.py.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, mid_channels: int | None = None
    ) -> None:
        super().__init__()
        between = mid_channels or out_channels
        self.first = nn.Conv2d(in_channels, between, kernel_size=3, padding=1, bias=False)
        self.first_norm = StepBatchNormReLU(between)
        self.second = nn.Conv2d(between, out_channels, kernel_size=3, padding=1, bias=False)
        self.second_norm = StepBatchNormReLU(out_channels)

    def forward(self, x: Tensor, num_steps: int = 1) -> Tensor:
        x = self._normed(x, self.first, self.first_norm, num_steps)
        return self._normed(x, self.second, self.second_norm, num_steps)

    @staticmethod
    def _normed(x: Tensor, conv: nn.Conv2d, norm: StepBatchNormReLU, num_steps: int) -> Tensor:
        if norm.training or torch.is_grad_enabled() or not prefers_fast_layout(x):
            return norm(conv(x), num_steps)
        weight, bias = norm.folded(conv.weight)
        return F.relu(F.conv2d(x, weight, bias, padding=1), inplace=True)


class Down(nn.Module):
    """Halve a map by max pooling, then convolve twice.

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
    """Double a deep map, concatenate it after the skip, convolve twice.

    Args:
        in_channels: Width of the deep map and the skip together.
        out_channels: Width of the output.
        mid_channels: Width between the two convolutions; None for that of the output.
        grow: Module that doubles the deep map and keeps its width, such as a transposed
            convolution; None for bilinear interpolation with aligned corners.

    Shape:
        - deep: (N, C, h, w); skip: (N, C', H, W); returns: (N, D, H, W). If 2 h < H or 2 w < W,
          because pools round down, zeros are added, an odd one at the bottom or right.

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
        if prefers_fast_layout(deep):  # later maps take the memory format of their inputs
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


class UNetDecoder(nn.Module):
    """Decoder of a U-Net: double the deepest map level by level, with the finer maps as skips.

    Args:
        widths: Width of each level, finest first.
        num_classes: Number K of logits per pixel.

    Shape:
        - maps: one per level, finest first, (B, D, H / 2^k, W / 2^k) with k = 0, 1, ...
        - returns: logits (B, K, H, W).

    Source:
        xian1234/ST-Mamba@9dae127, models/common.py.
    """

    def __init__(self, widths: Sequence[int], *, num_classes: int) -> None:
        super().__init__()
        self.ups = nn.ModuleList(
            Up(fine + deep, fine, mid_channels=(fine + deep) // 2)
            for deep, fine in pairwise(reversed(widths))
        )
        self.read = nn.Conv2d(widths[0], num_classes, kernel_size=1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        *finer, x = maps
        for up, skip in zip(self.ups, reversed(finer), strict=True):
            x = up(x, skip)
        return self.read(x)
