"""Feed-forward layer that looks at its neighbours."""

from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.pointwise_conv import PointwiseConv2d


class ConvFeedForward(nn.Module):
    """Widen, mix each channel with its 3x3 neighbourhood, narrow.

    Args:
        channels: Width C of input and output.
        hidden_channels: Width in between.
        dropout: Share of values dropped after the activation and after the end.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Guo et al., Visual attention network (arXiv:2202.09741).
    """

    def __init__(self, channels: int, hidden_channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.widen = PointwiseConv2d(channels, hidden_channels)
        self.depthwise = nn.Conv2d(
            hidden_channels, hidden_channels, 3, padding=1, groups=hidden_channels
        )
        self.narrow = PointwiseConv2d(hidden_channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(F.gelu(self.depthwise(self.widen(x))))
        return self.dropout(self.narrow(x))
