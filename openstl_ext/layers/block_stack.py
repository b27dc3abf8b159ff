"""A stack of equal blocks between two widths."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


class BlockStack(nn.Module):
    """Blocks in a row: the first works at the outer width, all others at the inner one.

    Each block keeps its width; a 1x1 convolution behind it changes the width where the next block,
    or the way out, has another.

    Args:
        block: Makes a block from its width and its drop-path probability.
        channels: Outer width C, of input and output.
        hidden_channels: Inner width.
        num_blocks: Number of blocks, at least two.
        drop_path: Drop-path probability of the last block; it is 0.01 at the first and linear in
            between.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        chengtan9907/OpenSTL@c74deb5, simvp_model.py. Upstream: the schedule starts at 0.01 even
        where it ends at 0, so a published ``drop_path = 0`` still drops paths.
    """

    def __init__(
        self,
        block: Callable[[int, float], nn.Module],
        *,
        channels: int,
        hidden_channels: int,
        num_blocks: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        probs = torch.linspace(1e-2, drop_path, num_blocks).tolist()
        widths = [channels, *[hidden_channels] * (num_blocks - 1), channels]
        self.blocks = nn.ModuleList(block(*pair) for pair in zip(widths, probs, strict=False))
        self.resizes = nn.ModuleList(
            nn.Conv2d(here, there, kernel_size=1) if here != there else nn.Identity()
            for here, there in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block, resize in zip(self.blocks, self.resizes, strict=True):
            x = resize(block(x))
        return x
