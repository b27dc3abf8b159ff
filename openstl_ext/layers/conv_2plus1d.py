"""A 3-D convolution split into one over space and one over time."""

from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.layout import published


class Conv2Plus1D(nn.Module):
    """Convolve each image, then each pixel's series; normalise once, activate once.

    Weighs (9 + 3) D * D where a full 3 x 3 x 3 kernel weighs 27 D * D. Both run as 2-D convolutions
    on channels-last views, whose kernels are faster than the 3-D ones on CPUs.

    Args:
        in_channels: Width C of the input.
        out_channels: Width D of the output.

    Shape:
        - input: (B, C, T, H, W); output: (B, D, T, H, W), in channels-last order.

    Source:
        Tran et al., R(2+1)D (arXiv:1711.11248); xian1234/ST-Mamba@9dae127, models/unet3d.py.

    Deviations:
        R(2+1)D normalises between the two as well; ST-Mamba does not, nor do we.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.spatial = nn.Conv3d(in_channels, out_channels, (1, 3, 3), bias=False)
        self.temporal = nn.Conv3d(out_channels, out_channels, (3, 1, 1), bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        series = self._as_volumes(x) if published() else self._as_images(x)
        return F.relu(self.norm(series), inplace=True).unflatten(3, x.shape[3:])

    def _as_volumes(self, x: Tensor) -> Tensor:
        x = F.conv3d(x, self.spatial.weight, padding=(0, 1, 1))
        return F.conv3d(x, self.temporal.weight, padding=(1, 0, 0)).flatten(3)

    def _as_images(self, x: Tensor) -> Tensor:
        batch, _, length, height, width = x.shape
        # Channels last throughout, and made contiguous and reshaped as such: an axis of size 1 then
        # has the stride by which convolutions recognise that order.
        x = x.permute(0, 2, 3, 4, 1).contiguous().view(batch * length, height, width, -1)
        x = F.conv2d(x.permute(0, 3, 1, 2), self.spatial.weight.squeeze(2), padding=1)
        x = x.permute(0, 2, 3, 1).contiguous().view(batch, length, height * width, -1)
        return F.conv2d(x.permute(0, 3, 1, 2), self.temporal.weight.squeeze(4), padding=(1, 0))


def double_conv_2plus1d(in_channels: int, out_channels: int) -> nn.Sequential:
    """Two (2+1)D convolutions in a row, the unit of a U-Net.

    Args:
        in_channels: Width of the input.
        out_channels: Width between the two and of the output.
    """
    return nn.Sequential(
        Conv2Plus1D(in_channels, out_channels), Conv2Plus1D(out_channels, out_channels)
    )
