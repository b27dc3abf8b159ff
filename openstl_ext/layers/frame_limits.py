"""What frames a net can take, said before they fail deep inside."""

from torch import Tensor

from openstl_ext.errors import ShapeError


def check_frames(
    net: str, frames: Tensor, *, channels: int, least_side: int, least_length: int = 1
) -> None:
    """Refuse frames that a net cannot take.

    Args:
        net: Name of the net.
        frames: What it is given.
        channels: Channels C that it was built for.
        least_side: Smallest height and width that its pools leave something of, in pixels.
        least_length: Smallest number of frames.

    Shape:
        - frames: (B, T, C, H, W).

    Raises:
        ShapeError: With what is needed and what was given.
    """
    _, length, given, height, width = frames.shape
    if given != channels or length < least_length or min(height, width) < least_side:
        raise ShapeError(
            f"{net} takes {least_length} or more frames of {channels} channels and at least "
            f"{least_side} x {least_side} pixels; got {length} of {given} channels and "
            f"{height} x {width}"
        )
