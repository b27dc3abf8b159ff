"""One image encoder over all steps of a sequence at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from openstl_ext.layers.double_conv import DoubleConv
from openstl_ext.layers.layout import rearranged
from openstl_ext.layers.unet_blocks import Down


class SequenceEncoder(nn.Module):
    """The left half of a U-Net, run once on the frames of all time steps.

    Args:
        in_channels: Channels C of a frame.
        widths: Width of each level, finest first.
        norm_over: What batch norms average over in training: the frames of one time ``step``, as
            if the encoder were called once a step, or the whole ``sequence``.
        recompute: Whether to keep no activations and compute them again in the backward pass.

    Shape:
        - frames: (B, T, C, H, W).
        - returns: one map a level, finest first, (B, T, D, H / 2^k, W / 2^k) with k = 0, 1, ...
    """

    def __init__(
        self,
        in_channels: int,
        *,
        widths: Sequence[int] = (64, 128, 256, 512),
        norm_over: Literal["step", "sequence"] = "step",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.norm_over = norm_over
        self.recompute = recompute
        self.inlet = DoubleConv(in_channels, widths[0])
        self.downs = nn.ModuleList(Down(*pair) for pair in pairwise(widths))

    def forward(self, frames: Tensor) -> list[Tensor]:
        batch, length = frames.shape[:2]
        steps = length if self.norm_over == "step" else 1
        x = frames.transpose(0, 1).flatten(0, 1)  # time slowest: the frames of a step are one block
        if rearranged(x):
            x = x.contiguous(memory_format=torch.channels_last)
        maps = [self.inlet(x, steps)]
        for down in self.downs:
            maps.append(down(maps[-1], steps))
        return [x.unflatten(0, (length, batch)).transpose(0, 1) for x in maps]
