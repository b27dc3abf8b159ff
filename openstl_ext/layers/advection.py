"""Move frames along displacements."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

KNOWN = 1 - 1e-4
"""Share of known neighbours from which an interpolated pixel is known; rounding takes some."""


def advect(frame: Tensor, displacement: Tensor) -> Tensor:
    """Return the value of each pixel at another place, interpolated linearly.

    Places outside the frame have the value of the nearest edge. A pixel is NaN if one of the
    pixels that it is interpolated from is.

    Shape:
        - frame: (B, C, H, W).
        - displacement: (B, 2, H, W) or (B, 2, 1, 1), rows and columns from a pixel to the place
          where its value is read; returns: (B, C, H, W).
    """
    height, width = frame.shape[-2:]
    y = torch.arange(height, device=frame.device, dtype=frame.dtype).view(-1, 1)
    x = torch.arange(width, device=frame.device, dtype=frame.dtype).view(1, -1)
    rows, columns = torch.broadcast_tensors(y + displacement[:, :1], x + displacement[:, 1:])
    # from pixels to -1 ... 1 between the centres of the outer pixels
    place = torch.cat(
        [2 * columns / max(width - 1, 1) - 1, 2 * rows / max(height - 1, 1) - 1], dim=1
    ).movedim(1, -1)
    missing = frame.isnan()
    filled = torch.where(missing, 0.0, frame)
    moved = grid_sample(filled, place, padding_mode="border", align_corners=True)
    if not bool(missing.any()):
        return moved
    known = grid_sample((~missing).to(frame), place, padding_mode="border", align_corners=True)
    return torch.where(known >= KNOWN, moved, torch.nan)
