"""Halving and doubling a map of tokens."""

from einops import rearrange
from torch import Tensor, nn


class PatchMerging(nn.Module):
    """Make one token of twice the width out of every 2 x 2.

    Args:
        channels: Width d of a token.

    Shape:
        - x: (B, H, W, d), H and W even; returns: (B, H / 2, W / 2, 2 d).

    Source:
        Liu et al., Swin Transformer (arXiv:2103.14030). The four are laid side by side column by
        column: (0, 0), (1, 0), (0, 1), (1, 1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = rearrange(x, "b (h p) (w q) d -> b h w (q p d)", p=2, q=2)
        return self.reduction(self.norm(x))


class PatchExpanding(nn.Module):
    """Make 2 x 2 tokens of half the width out of every one.

    Args:
        channels: Width d of a token, even.

    Shape:
        - x: (B, H, W, d); returns: (B, 2 H, 2 W, d / 2).

    Source:
        Cao et al., Swin-Unet (arXiv:2105.05537).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = rearrange(self.expand(x), "b h w (p q d) -> b (h p) (w q) d", p=2, q=2)
        return self.norm(x)
