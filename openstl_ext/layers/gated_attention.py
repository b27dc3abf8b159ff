"""Large-kernel attention that gates its own output."""

from torch import Tensor, nn

from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d
from openstl_ext.layers.pointwise_conv import PointwiseConv2d


def wide_kernel_sizes(kernel_size: int, dilation: int) -> tuple[int, int]:
    """Sides of the dense and of the dilated kernel that together imitate a wide one."""
    near = 2 * dilation - 1
    far = kernel_size // dilation
    return near, far - 1 + far % 2  # odd, so that padding keeps H and W


class GatedSpatialAttention(nn.Module):
    """Weigh each position by its wide neighbourhood, then let a gate choose.

    A wide depthwise kernel is factored into a small dense one and a dilated one, which keeps the
    receptive field and drops most of the weights.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the neighbourhood to imitate, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.

    Shape:
        - input, output: (N, C, H, W). In SimVP, N is the batch and C holds time times channels.

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.
    """

    def __init__(self, channels: int, *, kernel_size: int = 21, dilation: int = 3) -> None:
        super().__init__()
        near, far = wide_kernel_sizes(kernel_size, dilation)
        self.near = DilatedDepthwiseConv2d(channels, kernel_size=near, dilation=1)
        self.far = DilatedDepthwiseConv2d(channels, kernel_size=far, dilation=dilation)
        self.mix = PointwiseConv2d(channels, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.mix(self.far(self.near(x))).chunk(2, dim=1)
        return gate.sigmoid() * value
