"""The way up of a U-Net over volumes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.conv_2plus1d import double_conv_2plus1d
from openstl_ext.layers.layout import published


class Up2Plus1D(nn.Module):
    """Enlarge a deep volume, lay it beside the skip and convolve both.

    What is too small or too large after that is padded with zeros or cropped to the skip's size,
    half of it in front (rounded down), the rest behind.

    Args:
        in_channels: Width C of the deep volume; even.
        out_channels: Width D of the skip and of the output; C / 2.
        time_stride: Times by which the number of frames grows; space always doubles.

    Shape:
        - deep: (B, C, T', H', W'); skip: (B, D, T, H, W); returns: (B, D, T, H, W).

    Source:
        xian1234/ST-Mamba@9dae127, models/unet3d.py.
    """

    def __init__(self, in_channels: int, out_channels: int, *, time_stride: int = 2) -> None:
        super().__init__()
        scale = (time_stride, 2, 2)
        self.time_stride = time_stride
        self.up = nn.ConvTranspose3d(in_channels, in_channels // 2, scale, stride=scale)
        self.conv = double_conv_2plus1d(in_channels // 2 + out_channels, out_channels)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        length = self.time_stride * deep.shape[2]
        surplus = length - skip.shape[2]
        behind = surplus // 2  # of what is cropped in time; the rest in front
        in_front = surplus - behind
        if surplus > 0 and not published():
            # what would be cropped, whole input frames of it, is not computed
            first, spare = in_front // self.time_stride, behind // self.time_stride
            deep = deep[:, :, first : deep.shape[2] - spare]
            in_front -= first * self.time_stride
            behind -= spare * self.time_stride
        x = self.up(deep.contiguous(memory_format=torch.channels_last_3d))
        down, right = (skip.shape[axis] - x.shape[axis] for axis in (3, 4))
        edges = [right // 2, right - right // 2, down // 2, down - down // 2, -in_front, -behind]
        if any(edges):
            x = F.pad(x, edges)
        last = (volume.permute(0, 2, 3, 4, 1) for volume in (skip, x))
        both = torch.cat(list(last), dim=-1)  # so that channels lie last, as the next wants them
        return self.conv(both.permute(0, 4, 1, 2, 3))
