"""Temporal attention: where to look within a frame, and which channels, hence times, matter."""

from torch import Tensor, nn

from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d
from openstl_ext.layers.gated_attention import wide_kernel_sizes
from openstl_ext.layers.pointwise_conv import PointwiseConv2d


class TemporalAttention(nn.Module):
    """Weigh the input by its wide neighbourhood and by what its channels say as a whole.

    Channels hold time times features, so weighing channels weighs times.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the neighbourhood to imitate, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.
        reduction: Factor by which the squeezed channels are narrowed, but for a floor of four.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Tan et al., TAU (arXiv:2206.12126); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.

    Deviations:
        Upstream: the quotient ``max(C // reduction, 4)`` is taken for the reduction, so C is
        divided by it and about 16 units remain whatever C is. We do the same, for the weights'
        sake.
    """

    def __init__(
        self, channels: int, *, kernel_size: int = 21, dilation: int = 3, reduction: int = 16
    ) -> None:
        super().__init__()
        near, far = wide_kernel_sizes(kernel_size, dilation)
        self.near = DilatedDepthwiseConv2d(channels, kernel_size=near, dilation=1)
        self.far = DilatedDepthwiseConv2d(channels, kernel_size=far, dilation=dilation)
        self.mix = PointwiseConv2d(channels, channels)
        narrow = channels // max(channels // reduction, 4)
        self.squeeze = nn.Linear(channels, narrow, bias=False)
        self.excite = nn.Linear(narrow, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        where = self.mix(self.far(self.near(x)))
        when = self.excite(self.squeeze(x.mean(dim=(-2, -1))).relu()).sigmoid()
        return when[..., None, None] * where * x
