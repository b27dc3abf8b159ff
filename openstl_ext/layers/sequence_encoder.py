"""One image encoder over all steps of a sequence at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.recomputation import recomputed
from openstl_ext.layers.unet import DoubleConv, Down

Norm = Literal["step", "sequence"]
NORMS: tuple[str, ...] = ("step", "sequence")

BLOCK_VALUES = 2**22
"""Values of the finest map that a CPU works on at once: 16 MB in float32. Maps of all of a long
sequence would leave its caches, and its allocator would give them back and fetch them anew."""


class SequenceEncoder(nn.Module):
    """The left half of a U-Net, run on the frames of all time steps as on one batch.

    Convolutions and pools see images and know no time, so they take the steps together; batch
    norms are told how many there are. GPUs get all images in one call, CPUs in blocks.

    Args:
        in_channels: Channels C of a frame.
        widths: Width of each level, finest first.
        norm_over: What batch norms average over in training: the frames of one time ``step``, as
            if the encoder were called once a step, or the whole ``sequence``.
        recompute: Whether to keep no activations in training but the maps it returns, and to
            compute one step after the other again in the backward pass.

    Shape:
        - frames: (B, T, C, H, W).
        - returns: one map a level, finest first, (B, T, D, H // 2^k, W // 2^k) with k = 0, 1, ...
          With ``finer="last"`` all but the deepest are of the last step alone, (B, 1, ...).

    Raises:
        ConfigError: If there is no such norm, or one that recomputing cannot keep.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        widths: Sequence[int] = (64, 128, 256, 512),
        norm_over: Norm = "step",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        if norm_over not in NORMS:
            raise ConfigError(f"norm_over is one of {', '.join(NORMS)}, not {norm_over!r}")
        if recompute and norm_over == "sequence":
            raise ConfigError(
                "recompute=True computes the steps one after the other, but norm_over='sequence' "
                "normalises them together; take norm_over='step'"
            )
        self.norm_over = norm_over
        self.recompute = recompute
        self.inlet = DoubleConv(in_channels, widths[0])
        self.downs = nn.ModuleList(Down(*pair) for pair in pairwise(widths))

    def forward(self, frames: Tensor, *, finer: Literal["all", "last"] = "all") -> list[Tensor]:
        batch = len(frames)
        x = frames.transpose(0, 1).flatten(0, 1)  # time slowest: the images of a step are one block
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        size = self._block_size(x, batch)
        blocks = x.split(size)
        unread = len(blocks) - max(1, batch // size) if finer == "last" else 0
        levels: list[list[Tensor]] = [[] for _ in (self.inlet, *self.downs)]
        for index, block in enumerate(blocks):
            maps = self._maps(block, max(1, len(block) // batch))
            if index < unread:
                levels[-1].append(maps[-1])
                continue
            for level, found in zip(levels, maps, strict=True):
                level.append(found)
        *fine, deepest = (torch.cat(level) if len(level) > 1 else level[0] for level in levels)
        if finer == "last":
            fine = [level[-batch:] for level in fine]
        return [level.unflatten(0, (-1, batch)).transpose(0, 1) for level in (*fine, deepest)]

    def _block_size(self, x: Tensor, batch: int) -> int:
        """Images to encode in one call: whole steps or, where they may be taken apart, less."""
        if self.recompute and torch.is_grad_enabled():
            return batch
        if not prefers_fast_layout(x) or (self.training and self.norm_over == "sequence"):
            return len(x)
        images = max(1, BLOCK_VALUES // (self.inlet.second.out_channels * x[0, 0].numel()))
        if images >= batch:
            return images // batch * batch
        if self.training:
            return batch
        return max(part for part in range(1, images + 1) if batch % part == 0)

    def _maps(self, x: Tensor, num_steps: int) -> list[Tensor]:
        """A map a level of some images."""
        if self.norm_over == "sequence":
            num_steps = 1
        if self.recompute and torch.is_grad_enabled():
            return recomputed(self._encoded, x, num_steps)
        return self._encoded(x, num_steps)

    def _encoded(self, x: Tensor, num_steps: int) -> list[Tensor]:
        maps = [self.inlet(x, num_steps)]
        for down in self.downs:
            maps.append(down(maps[-1], num_steps))
        return maps
