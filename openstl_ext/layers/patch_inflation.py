"""Tokens as pixels again."""

from torch import Tensor, nn

from openstl_ext.errors import ConfigError

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
