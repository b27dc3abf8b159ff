"""Attention between two projections, with a short cut."""

from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.pointwise_conv import PointwiseConv2d


class ProjectedAttention(nn.Module):
    """Project, attend, project back, and add what came in.

    Args:
        channels: Width C of input and output.
        core: The attention proper, (N, C, H, W) to the same.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Guo et al., Visual attention network (arXiv:2202.09741).
    """

    def __init__(self, channels: int, core: nn.Module) -> None:
        super().__init__()
        self.before = PointwiseConv2d(channels, channels)
        self.core = core
        self.after = PointwiseConv2d(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.core(F.gelu(self.before(x)))) + x
