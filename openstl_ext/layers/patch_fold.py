"""Patches of pixels as channels, and back."""

from einops import rearrange
from torch import Tensor

from openstl_ext.errors import ShapeError


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
