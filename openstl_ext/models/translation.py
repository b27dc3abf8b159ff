"""Baseline that moves the last frame at the speed of the past."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import FrameModel
from openstl_ext.layers.advection import advect
from openstl_ext.registry import MODELS


@MODELS.register_module()
class Translation(nn.Module):
    """Move the last frame by the mean shift of the past, once more for each future step.

    The shift is one vector for all pixels, channels and steps. Phase correlation of all pairs of
    neighbouring frames together gives whole pixels, and the slope of the phase the rest. Pixels
    that enter the frame have the value of its edge; missing ones (NaN) move with the frame. Frames
    without motion are repeated.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ShapeError: If there are fewer than two frames.

    Source:
        Kuglin and Hines, The phase correlation image alignment method (1975).
    """

    interface = FrameModel

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        if frames.shape[1] < 2:
            raise ShapeError(
                f"Translation needs two input frames or more, got {frames.shape[1]}; use more "
                "input frames, or remove Translation from the baselines"
            )
        shift = mean_shift(frames.float())[..., None, None]
        last = frames[:, -1].float()
        steps = range(1, frames.shape[1] + 1)
        return torch.stack([advect(last, -step * shift) for step in steps], dim=1)


def mean_shift(frames: Tensor) -> Tensor:
    """Return the shift from each frame to the next, the mean of all pairs, in pixels.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, 2), rows and columns.
    """
    known = frames.isfinite()
    count = known.sum(dim=(-2, -1), keepdim=True).clamp(min=1)
    mean = torch.where(known, frames, 0.0).sum(dim=(-2, -1), keepdim=True) / count
    spectrum = torch.fft.fft2(torch.where(known, frames - mean, 0.0).double())
    cross = (spectrum[:, 1:] * spectrum[:, :-1].conj()).sum(dim=(1, 2))
    power = cross.abs()
    floor = 1e-10 * power.amax(dim=(-2, -1), keepdim=True)  # below it, phases are rounding errors
    phase = torch.where(power > floor, cross / power.clamp(min=1e-300), 0.0)
    height, width = frames.shape[-2:]
    place = torch.fft.ifft2(phase).real.flatten(1).argmax(dim=1)
    peak = torch.stack([place // width, place % width], dim=1)
    size = torch.tensor([height, width], device=frames.device)
    whole = ((peak + size // 2) % size - size // 2).double()
    return (whole + _remainder(cross, whole)).to(frames)


def _remainder(cross: Tensor, whole: Tensor) -> Tensor:
    """Return the rest of a shift below one pixel: the slope of the phase, weighted by the power.

    Shape:
        - cross: spectrum (B, H, W); whole: shift in whole pixels (B, 2); returns: (B, 2).
    """
    height, width = cross.shape[-2:]
    kind = {"device": cross.device, "dtype": whole.dtype}
    y = 2 * torch.pi * torch.fft.fftfreq(height, **kind).view(-1, 1)
    x = 2 * torch.pi * torch.fft.fftfreq(width, **kind).view(1, -1)
    turn = whole[:, :1, None] * y + whole[:, 1:, None] * x
    angle = -(cross * torch.polar(torch.ones_like(turn), turn)).angle()
    weight = cross.abs() / cross.abs().amax(dim=(-2, -1), keepdim=True).clamp(min=1e-300)

    def total(field: Tensor) -> Tensor:
        return (weight * field).sum(dim=-1).sum(dim=-1)

    yy, xx, xy = total(y * y), total(x * x), total(x * y)
    ya, xa = total(y * angle), total(x * angle)
    # of a pattern of stripes, only the shift across the stripes is known
    damping = 1e-9 * (yy + xx)
    yy, xx = yy + damping, xx + damping
    determinant = (yy * xx - xy * xy)[:, None]
    rest = torch.stack([xx * ya - xy * xa, yy * xa - xy * ya], dim=1)
    return torch.where(determinant > 0, rest / determinant, 0.0).clamp(-1, 1)
