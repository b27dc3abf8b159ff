"""Check the frames and covariates that a net receives."""

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError


def check_frames(
    net: str, frames: Tensor, *, channels: int, least_side: int, least_length: int = 1
) -> None:
    """Raise an error if a net cannot process frames of this shape.

    Args:
        net: Name of the net.
        frames: Input of the net.
        channels: Channels C that the net was built for.
        least_side: Smallest height and width after which its pools leave at least one pixel.
        least_length: Smallest number of frames.

    Shape:
        - frames: (B, T, C, H, W).

    Raises:
        ShapeError: If channels, size or length do not fit.
    """
    _, length, given, height, width = frames.shape
    if given != channels or length < least_length or min(height, width) < least_side:
        raise ShapeError(
            f"{net} needs at least {least_length} frames of {channels} channels and at least "
            f"{least_side} x {least_side} pixels; got {length} of {given} channels and "
            f"{height} x {width}"
        )


def needed(name: str, given: Tensor | None, channels: int, frames: Tensor) -> Tensor | None:
    """Return a covariate after checking its shape, or None if the net was built without it.

    Args:
        name: ``dynamic``, which has the time axis of the frames, or ``static`` or ``lonlat``.
        given: The covariate of the batch; ignored if the net has no channels for it.
        channels: Number of channels that the net was built with.
        frames: Frames of the same batch.

    Shape:
        - given, returns: (B, T, C, H, W) if ``dynamic``, else (B, C, H, W).
        - frames: (B, T, C, H, W).

    Raises:
        ShapeError: If the net needs the covariate and it is missing or has another shape.
    """
    if channels == 0:
        return None
    batch, length, _, height, width = frames.shape
    time = (length,) if name == "dynamic" else ()
    expected = (batch, *time, channels, height, width)
    if given is None:
        raise ShapeError(
            f"this net was built with {channels} channels of `{name}`, so the batch needs `{name}` "
            f"of shape {expected}; add these covariates to the dataset, or build the net with 0 "
            "channels"
        )
    if tuple(given.shape) != expected:
        raise ShapeError(
            f"`{name}` must have shape {expected} with frames of shape {tuple(frames.shape)}; "
            f"got {tuple(given.shape)}"
        )
    return given


def with_dynamic(frames: Tensor, dynamic: Tensor | None, channels: int) -> Tensor:
    """Concatenate the frames of one variable with the dynamic covariates, the variable first.

    Args:
        frames: Past frames.
        dynamic: Covariates of the same steps.
        channels: Number of dynamic channels that the net was built with.

    Shape:
        - frames: (B, T, 1, H, W); dynamic: (B, T, C, H, W); returns: (B, T, 1 + C, H, W).

    Raises:
        ShapeError: If the frames have more than one channel, or the covariates do not fit.
    """
    if frames.dim() != 5 or frames.shape[2] != 1:
        raise ShapeError(
            f"a net with covariates forecasts one variable, so frames must be (B, T, 1, H, W); got "
            f"{tuple(frames.shape)}"
        )
    covariates = needed("dynamic", dynamic, channels, frames)
    if covariates is None:
        return frames
    return torch.cat([frames, covariates.to(frames.dtype)], dim=2)
