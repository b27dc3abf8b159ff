"""Image encoder of a U-Net, applied to all time steps of a sequence at once."""

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

CHUNK_VALUES = 2**22
"""Values of the finest map that a CPU computes at once: 16 MB in float32. The maps of a long
sequence do not fit its caches, and its allocator would return and request their memory again."""


class SequenceEncoder(nn.Module):
    """Encoder of a U-Net, applied to the frames of all time steps as to one batch.

    Convolutions and pools do not mix time steps, so they process all steps together; batch norms
    receive the number of steps. GPUs process all images in one call, CPUs in chunks.

    Args:
        in_channels: Channels C of a frame.
        widths: Width of each level, finest first.
        norm_over: Frames over which batch norms average in training: those of one time ``step``,
            as if the encoder were called once per step, or those of the ``sequence``.
        recompute: Whether to store only the returned maps in training, and to compute the
            activations again in the backward pass, step by step.

    Shape:
        - frames: (B, T, C, H, W).
        - returns: one map per level, finest first, (B, T, D, H // 2^k, W // 2^k), k = 0, 1, ...
          With ``finer="last"`` all but the deepest contain the last step only, (B, 1, ...).

    Raises:
        ConfigError: If ``norm_over`` is unknown, or cannot be combined with ``recompute``.
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
            raise ConfigError(f"norm_over must be one of {', '.join(NORMS)}, got {norm_over!r}")
        if recompute and norm_over == "sequence":
            raise ConfigError(
                "recompute=True computes the steps one after the other, but norm_over='sequence' "
                "normalises them together; use norm_over='step'"
            )
        self.norm_over = norm_over
        self.recompute = recompute
        self.inlet = DoubleConv(in_channels, widths[0])
        self.downs = nn.ModuleList(Down(*pair) for pair in pairwise(widths))

    def forward(self, frames: Tensor, *, finer: Literal["all", "last"] = "all") -> list[Tensor]:
        batch = len(frames)
        x = frames.transpose(0, 1).flatten(0, 1)  # time slowest: images of a step are contiguous
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        size = self._chunk_size(x, batch)
        chunks = x.split(size)
        deepest_only = len(chunks) - max(1, batch // size) if finer == "last" else 0
        levels: list[list[Tensor]] = [[] for _ in (self.inlet, *self.downs)]
        for index, chunk in enumerate(chunks):
            maps = self._maps(chunk, max(1, len(chunk) // batch))
            if index < deepest_only:
                levels[-1].append(maps[-1])
                continue
            for level, new in zip(levels, maps, strict=True):
                level.append(new)
        *fine, deepest = (torch.cat(level) if len(level) > 1 else level[0] for level in levels)
        if finer == "last":
            fine = [level[-batch:] for level in fine]
        return [level.unflatten(0, (-1, batch)).transpose(0, 1) for level in (*fine, deepest)]

    def _chunk_size(self, x: Tensor, batch: int) -> int:
        """Return the images per call: those of complete steps, or fewer if a step may be split."""
        if self.recompute and torch.is_grad_enabled():
            return batch
        if not prefers_fast_layout(x) or (self.training and self.norm_over == "sequence"):
            return len(x)
        images = max(1, CHUNK_VALUES // (self.inlet.second.out_channels * x[0, 0].numel()))
        if images >= batch:
            return images // batch * batch
        if self.training:
            return batch
        return max(part for part in range(1, images + 1) if batch % part == 0)

    def _maps(self, x: Tensor, num_steps: int) -> list[Tensor]:
        """Compute the maps of some images, one per level."""
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
