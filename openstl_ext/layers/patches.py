"""Patches: embedding, folding, expansion and resampling."""

from einops import rearrange
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError


def fold_patches(frame: Tensor, patch_size: int) -> Tensor:
    """Turn each p x p patch into one pixel with p * p times the channels.

    The order of the new channels is (row in patch, column in patch, channel), which is that of
    the recurrent nets' published weights and not that of ``pixel_unshuffle``.

    Args:
        frame: What is folded.
        patch_size: Side p of a patch, in pixels.

    Shape:
        - frame: (B, C, H, W); returns: (B, p * p * C, H / p, W / p).

    Raises:
        ShapeError: If patches do not tile the frame.

    Source:
        chengtan9907/OpenSTL@c74deb5, utils/predrnn_utils.py (there channels last, all frames at
        once).
    """
    height, width = frame.shape[-2:]
    if height % patch_size or width % patch_size:
        raise ShapeError(
            f"patches of {patch_size} x {patch_size} need a frame whose height and width are "
            f"multiples of {patch_size}; got {height} x {width}"
        )
    sides = {"p": patch_size, "q": patch_size}
    return rearrange(frame, "b c (h p) (w q) -> b (p q c) h w", **sides)


def unfold_patches(folded: Tensor, patch_size: int) -> Tensor:
    """Undo :func:`fold_patches`.

    Shape:
        - folded: (B, p * p * C, H, W); returns: (B, C, p * H, p * W).
    """
    sides = {"p": patch_size, "q": patch_size}
    return rearrange(folded, "b (p q c) h w -> b c (h p) (w q)", **sides)


class PatchEmbedding(nn.Module):
    """Project each p x p patch of a frame to one token, and normalise it.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token.
        patch_size: Side p of a patch, in pixels.
        multiple: What height and width must be multiples of, where later layers need more than
            the patch; None for p.

    Shape:
        - frame: (B, C, H, W); returns: (B, H / p, W / p, d).

    Raises:
        ShapeError: If height or width is no multiple of what it must be.
    """

    def __init__(
        self, in_channels: int, channels: int, *, patch_size: int, multiple: int | None = None
    ) -> None:
        super().__init__()
        self.multiple = multiple or patch_size
        self.patch_size = patch_size
        self.proj = nn.Conv2d(in_channels, channels, kernel_size=patch_size, stride=patch_size)
        self.norm = nn.LayerNorm(channels)

    def forward(self, frame: Tensor) -> Tensor:
        height, width = frame.shape[-2:]
        if height % self.multiple or width % self.multiple:
            raise ShapeError(
                f"with patches of {self.patch_size} pixels, height and width of a frame must be "
                f"multiples of {self.multiple}; got {height} x {width}"
            )
        return self.norm(self.proj(frame).permute(0, 2, 3, 1))


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


NORM_GROUPS = 16


class PatchInflation(nn.Module):
    """Grow a map of tokens to a frame, by transposed convolutions.

    Each prime factor of the patch is one convolution: patches of 8 grow by 2, 2 and 2. All but the
    last keep the width and are followed by a group norm and a leaky rectifier. A patch of one
    pixel still has its last convolution, with stride 1.

    Args:
        channels: Width d of a token; a multiple of 16 where there is more than one convolution.
        out_channels: Channels C of a frame.
        patch_size: Side p of a patch, in pixels.

    Shape:
        - tokens: (B, H, W, d); returns: (B, C, p H, p W).

    Raises:
        ConfigError: If the group norm does not divide the width.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/modules/VMRNN_modules.py (PatchInflated).

    Deviations:
        Upstream grows by 2 ** (p // 4 + 1), which is right for patches of 2, 4 and 8 only: patches
        of 1 grow twofold there and patches of 16 by 32, so its net cannot take its second step.
    """

    def __init__(self, channels: int, out_channels: int, *, patch_size: int) -> None:
        super().__init__()
        *inner, last = prime_factors(patch_size)
        if inner and channels % NORM_GROUPS:
            raise ConfigError(
                f"patches of {patch_size} need a width that is a multiple of {NORM_GROUPS}, "
                f"not {channels}"
            )
        self.grow = nn.Sequential(
            *(
                nn.Sequential(
                    growing_conv(channels, channels, factor),
                    nn.GroupNorm(NORM_GROUPS, channels),
                    nn.LeakyReLU(0.2),
                )
                for factor in inner
            )
        )
        self.read = growing_conv(channels, out_channels, last)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.read(self.grow(tokens.permute(0, 3, 1, 2)))


def growing_conv(in_channels: int, out_channels: int, factor: int) -> nn.ConvTranspose2d:
    """A transposed convolution whose output is exactly ``factor`` times as large.

    Its kernel is 3 wide, or as wide as the stride where that is more, so that every pixel is
    written.
    """
    kernel = max(3, factor)
    padding = (kernel - factor + 1) // 2
    return nn.ConvTranspose2d(
        in_channels,
        out_channels,
        kernel_size=kernel,
        stride=factor,
        padding=padding,
        output_padding=2 * padding + factor - kernel,
    )


def prime_factors(number: int) -> list[int]:
    """The prime factors of a number, largest first; of 1 there is one, itself.

    Raises:
        ConfigError: If the number is not positive.
    """
    if number < 1:
        raise ConfigError(f"a patch has at least one pixel, not {number}")
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors[::-1] or [1]
