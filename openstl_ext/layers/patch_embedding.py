"""Patches of pixels as tokens."""

from torch import Tensor, nn

from openstl_ext.errors import ShapeError


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
