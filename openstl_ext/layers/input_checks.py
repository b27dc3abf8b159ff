"""Check the frames and covariates that a net receives."""

import torch
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


def needed(name: str, given: Tensor | None, channels: int, frames: Tensor) -> Tensor | None:
    """A covariate as the net needs it: None where it was built without.

    Args:
        name: ``dynamic``, which has the time axis of the frames, or ``static`` or ``lonlat``.
        given: What came; it is left aside by a net with no channels for it.
        channels: Number of channels that the net was built with.
        frames: The frames beside which it stands.

    Shape:
        - given, returns: (B, T, C, H, W) where ``dynamic``, else (B, C, H, W).
        - frames: (B, T, C, H, W).

    Raises:
        ShapeError: If the net needs it and it is absent or of another shape.
    """
    if channels == 0:
        return None
    batch, length, _, height, width = frames.shape
    time = (length,) if name == "dynamic" else ()
    expected = (batch, *time, channels, height, width)
    if given is None:
        raise ShapeError(
            f"this net was built with {channels} channels of `{name}`, so it needs one of shape "
            f"{expected}; got none. Give the dataset such covariates, or the net 0 channels"
        )
    if tuple(given.shape) != expected:
        raise ShapeError(
            f"`{name}` must be of shape {expected} beside frames of shape {tuple(frames.shape)}; "
            f"got {tuple(given.shape)}"
        )
    return given


def with_dynamic(frames: Tensor, dynamic: Tensor | None, channels: int) -> Tensor:
    """The frames of one variable with what changes beside it, the variable first.

    Args:
        frames: Past frames.
        dynamic: Covariates of the same steps.
        channels: Number of their channels that the net was built with.

    Shape:
        - frames: (B, T, 1, H, W); dynamic: (B, T, C, H, W); returns: (B, T, 1 + C, H, W).

    Raises:
        ShapeError: If there is another number of variables, or the covariates do not fit.
    """
    if frames.dim() != 5 or frames.shape[2] != 1:
        raise ShapeError(
            f"a net with covariates forecasts one variable, frames (B, T, 1, H, W); got "
            f"{tuple(frames.shape)}"
        )
    beside = needed("dynamic", dynamic, channels, frames)
    return frames if beside is None else torch.cat([frames, beside.to(frames.dtype)], dim=2)
