"""The way up of a U-Net, from its deepest map to logits."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from openstl_ext.layers.unet_blocks import Up


class UNetDecoder(nn.Module):
    """Double the deepest map level by level, taking the finer maps in on the way.

    Args:
        widths: Width of each level, finest first.
        num_classes: Logits K a pixel.

    Shape:
        - maps: one a level, finest first, (B, D, H / 2^k, W / 2^k) with k = 0, 1, ...
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
