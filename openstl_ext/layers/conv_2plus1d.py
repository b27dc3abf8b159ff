"""Convolutions factored into space and time, and their up-sampling."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.memory_format import keeps_published_order


class Conv2Plus1D(nn.Module):
    """Convolution over space, then over time, followed by one norm and one activation.

    It has (9 + 3) D * D weights, where a full 3 x 3 x 3 kernel has 27 D * D. Both convolutions run
    as 2-D convolutions on channels-last views, because these kernels are faster than the 3-D ones
    on CPUs.

    Args:
        in_channels: Width C of the input.
        out_channels: Width D of the output.

    Shape:
        - input: (B, C, T, H, W); output: (B, D, T, H, W), in channels-last order.

    Source:
        Tran et al., R(2+1)D (arXiv:1711.11248); xian1234/ST-Mamba@9dae127, models/unet3d.py.

    Deviations:
        R(2+1)D also normalises between the two; ST-Mamba and this layer do not.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv3d(in_channels, out_channels, (1, 3, 3), bias=False)
        self.temporal = nn.Conv3d(out_channels, out_channels, (3, 1, 1), bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        series = self._as_volumes(x) if keeps_published_order() else self._as_images(x)
        return F.relu(self.norm(series), inplace=True).unflatten(3, x.shape[3:])

    def _as_volumes(self, x: Tensor) -> Tensor:
        x = F.conv3d(x, self.spatial.weight, padding=(0, 1, 1))
        return F.conv3d(x, self.temporal.weight, padding=(1, 0, 0)).flatten(3)

    def _as_images(self, x: Tensor) -> Tensor:
        batch, _, length, height, width = x.shape
        # Channels last throughout, and made contiguous in that order before the reshape: an axis of
        # size 1 then has the stride by which convolutions recognise the memory format.
        x = x.permute(0, 2, 3, 4, 1).contiguous().view(batch * length, height, width, -1)
        x = F.conv2d(x.permute(0, 3, 1, 2), self.spatial.weight.squeeze(2), padding=1)
        x = x.permute(0, 2, 3, 1).contiguous().view(batch, length, height * width, -1)
        return F.conv2d(x.permute(0, 3, 1, 2), self.temporal.weight.squeeze(4), padding=(1, 0))


def double_conv_2plus1d(in_channels: int, out_channels: int) -> nn.Sequential:
    """Build two (2+1)D convolutions in a row, as at each level of a U-Net.

    Args:
        in_channels: Width of the input.
        out_channels: Width between the two and of the output.
    """
    return nn.Sequential(
        Conv2Plus1D(in_channels, out_channels), Conv2Plus1D(out_channels, out_channels)
    )


class Up2Plus1D(nn.Module):
    """Enlarge a deep volume, concatenate it with the skip and convolve both.

    If the sizes differ after that, the volume is padded with zeros or cropped to the skip's size:
    half of the difference (rounded down) in front, the rest behind.

    Args:
        in_channels: Width C of the deep volume; even.
        out_channels: Width D of the skip and of the output; C / 2.
        time_stride: Factor by which the number of frames grows; height and width always double.

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
        behind = surplus // 2  # frames cropped at the end; the others at the beginning
        in_front = surplus - behind
        if surplus > 0 and not keeps_published_order():
            # do not compute the output of input frames that would be cropped completely
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
        both = torch.cat(list(last), dim=-1)  # channels last, the format of the next convolution
        return self.conv(both.permute(0, 4, 1, 2, 3))
