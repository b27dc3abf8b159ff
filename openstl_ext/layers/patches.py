"""Patches: embedding, folding, expansion and resampling."""

from einops import rearrange
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError


def fold_patches(frame: Tensor, patch_size: int) -> Tensor:
    """Fold each p x p patch into one pixel with p * p times the channels.

    The order of the new channels is (row in patch, column in patch, channel), as in the published
    weights of the recurrent nets. ``pixel_unshuffle`` has another order.

    Args:
        frame: Frame to fold.
        patch_size: Side p of a patch, in pixels.

    Shape:
        - frame: (B, C, H, W); returns: (B, p * p * C, H / p, W / p).

    Raises:
        ShapeError: If height or width is not a multiple of the patch.

    Source:
        chengtan9907/OpenSTL@c74deb5, utils/predrnn_utils.py (there channels last, all frames at
        once).
    """
    check_divisible(frame, patch_size)
    sides = {"p": patch_size, "q": patch_size}
    return rearrange(frame, "b c (h p) (w q) -> b (p q c) h w", **sides)


def unfold_patches(folded: Tensor, patch_size: int) -> Tensor:
    """Invert :func:`fold_patches`.

    Shape:
        - folded: (B, p * p * C, H, W); returns: (B, C, p * H, p * W).
    """
    sides = {"p": patch_size, "q": patch_size}
    return rearrange(folded, "b (p q c) h w -> b c (h p) (w q)", **sides)


def band_patches(frame: Tensor, patch_size: int) -> Tensor:
    """Cut a frame into patches, each band apart.

    Args:
        frame: Frame to cut.
        patch_size: Side p of a patch, in pixels.

    Shape:
        - frame: (B, C, H, W); returns: (B, N, C, p * p), patches and pixels in row-major order.

    Raises:
        ShapeError: If height or width is not a multiple of the patch.
    """
    check_divisible(frame, patch_size)
    sides = {"p": patch_size, "q": patch_size}
    return rearrange(frame, "b c (h p) (w q) -> b (h w) c (p q)", **sides)


def check_divisible(frame: Tensor, patch_size: int) -> None:
    """Check that patches fill a frame.

    Raises:
        ShapeError: If height or width is not a multiple of the patch.
    """
    height, width = frame.shape[-2:]
    if height % patch_size or width % patch_size:
        raise ShapeError(
            f"with patches of {patch_size} x {patch_size}, height and width of a frame must be "
            f"multiples of {patch_size}; got {height} x {width}"
        )


class PatchEmbedding(nn.Module):
    """Project each p x p patch of a frame to one token and normalise it.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token.
        patch_size: Side p of a patch, in pixels.
        multiple: Number that must divide height and width, if later layers need more than p;
            None for p.

    Shape:
        - frame: (B, C, H, W); returns: (B, H / p, W / p, d).

    Raises:
        ShapeError: If height or width is not a multiple of ``multiple``.
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
    """Merge each 2 x 2 tokens into one of twice the width.

    Args:
        channels: Width d of a token.

    Shape:
        - x: (B, H, W, d), H and W even; returns: (B, H / 2, W / 2, 2 d).

    Source:
        Liu et al., Swin Transformer (arXiv:2103.14030). The four are concatenated column by
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
    """Expand each token into 2 x 2 tokens of half the width.

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
    """Upsample a map of tokens to a frame by transposed convolutions.

    There is one convolution for each prime factor of the patch: patches of 8 are upsampled by 2, 2
    and 2. All but the last convolution keep the width and are followed by a group norm and a leaky
    ReLU. A patch of one pixel has one convolution, with stride 1.

    Args:
        channels: Width d of a token; a multiple of 16 if there is more than one convolution.
        out_channels: Channels C of a frame.
        patch_size: Side p of a patch, in pixels.

    Shape:
        - tokens: (B, H, W, d); returns: (B, C, p H, p W).

    Raises:
        ConfigError: If the width is not a multiple of the groups of the norm.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/modules/VMRNN_modules.py (PatchInflated).

    Deviations:
        Upstream upsamples by 2 ** (p // 4 + 1), which is right for patches of 2, 4 and 8 only.
        Patches of 1 are upsampled by 2 there and patches of 16 by 32, so that net fails at its
        second step.
    """

    def __init__(self, channels: int, out_channels: int, *, patch_size: int) -> None:
        super().__init__()
        *inner, last = prime_factors(patch_size)
        if inner and channels % NORM_GROUPS:
            raise ConfigError(
                f"with patches of {patch_size}, the width of a token must be a multiple of "
                f"{NORM_GROUPS}, got {channels}"
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
    """Build a transposed convolution whose output is exactly ``factor`` times as large.

    The side of the kernel is 3, or the stride if that is larger, so that every pixel is written.
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
    """Return the prime factors of a number, largest first; [1] for 1.

    Raises:
        ConfigError: If the number is not positive.
    """
    if number < 1:
        raise ConfigError(f"patch_size must be at least 1, got {number}")
    factors, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors[::-1] or [1]
