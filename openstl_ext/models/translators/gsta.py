"""Gated spatio-temporal attention: the translator of SimVPv2."""

from functools import partial

from torch import Tensor, nn

from openstl_ext.layers.gsta import BlockStack, GSTABlock
from openstl_ext.registry import TRANSLATORS
from openstl_ext.value_types import Count, DropProb, Positive


@TRANSLATORS.register_module(name="gsta")
class GSTA(nn.Module):
    """Stack of GSTA blocks, which mix time and space by gated large-kernel attention.

    Args:
        channels: Frames times width of a frame, of input and output.
        hidden_channels: Width of all blocks but the first (hid_T upstream).
        num_blocks: Number of blocks (N_T upstream).
        mlp_ratio: Width of the feed-forward layers as a multiple of their input's.
        dropout: Share of values dropped in the feed-forward layers.
        drop_path: Drop-path probability of the last block.

    Shape:
        - input, output: (B, T*C, H, W).

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5, simvp_model.py.
    """

    def __init__(
        self,
        *,
        channels: Count,
        hidden_channels: Count,
        num_blocks: Count,
        mlp_ratio: Positive = 8.0,
        dropout: DropProb = 0.0,
        drop_path: DropProb = 0.0,
    ) -> None:
        super().__init__()
        block = partial(GSTABlock, mlp_ratio=mlp_ratio, dropout=dropout)
        self.stack = BlockStack(
            lambda width, prob: block(width, drop_path=prob),
            channels=channels,
            hidden_channels=hidden_channels,
            num_blocks=num_blocks,
            drop_path=drop_path,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.stack(x)
