"""The block of SimVP's gated spatio-temporal attention."""

import torch
from torch import Tensor, nn

from openstl_ext.layers.conv_feed_forward import ConvFeedForward
from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.fan_out_init import init_fan_out
from openstl_ext.layers.gated_attention import GatedSpatialAttention
from openstl_ext.layers.projected_attention import ProjectedAttention


class GSTABlock(nn.Module):
    """Gated attention, then a feed-forward layer, each normalised, scaled and added.

    Args:
        channels: Width C of input and output.
        mlp_ratio: Width of the feed-forward layer as a multiple of C.
        dropout: Share of values dropped in the feed-forward layer.
        drop_path: Probability that a sample skips a branch while training.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.
    """

    def __init__(
        self, channels: int, *, mlp_ratio: float = 8.0, dropout: float = 0.0, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.attention = ProjectedAttention(channels, GatedSpatialAttention(channels))
        self.norm2 = nn.BatchNorm2d(channels)
        self.feed_forward = ConvFeedForward(channels, int(channels * mlp_ratio), dropout=dropout)
        self.drop_path = DropPath(drop_path)
        self.scale1 = nn.Parameter(torch.full((channels,), 1e-2))
        self.scale2 = nn.Parameter(torch.full((channels,), 1e-2))
        init_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.attention(self.norm1(x))
        x = x + self.drop_path(self.scale1[:, None, None] * branch)
        branch = self.feed_forward(self.norm2(x))
        return x + self.drop_path(self.scale2[:, None, None] * branch)
