"""Small U-Net of noisy future frames, conditioned on the past."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TOY_SHAPE, ConditionalDenoiser
from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.time_embedding import Modulation, TimeEmbedding
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count

NUM_GROUPS = 4


@MODELS.register_module()
class DenoisingUNet(nn.Module):
    """U-Net of residual blocks; frames and past are stacked as channels of one image.

    Args:
        in_channels: Channels C of a frame.
        num_inputs: Number T of past frames.
        num_targets: Number T' of future frames.
        condition_channels: Channels D of the past, frames and covariates together; None for C.
        widths: Width of each level, finest first; multiples of 4.

    Shape:
        - noisy: (B, T', C, H, W), H and W multiples of 2 ** n with n + 1 levels.
        - time: (B,); condition: (B, T, D, H, W); returns: (B, T', C, H, W).

    Raises:
        ConfigError: If a width is no multiple of 4.
        ShapeError: If frames or past have another shape.

    Source:
        Ho et al., Denoising diffusion probabilistic models (arXiv:2006.11239), appendix B.

    Deviations:
        One block per level and direction, no attention, and the time scales channels beside
        shifting them.
    """

    interface = ConditionalDenoiser
    flag_arguments = {"frames_in": "num_inputs", "frames_out": "num_targets"}

    def __init__(
        self,
        *,
        in_channels: Count,
        num_inputs: Count,
        num_targets: Count,
        condition_channels: Count | None = None,
        widths: Sequence[Count] = (32, 64, 64),
    ) -> None:
        super().__init__()
        if any(width % NUM_GROUPS for width in widths):
            raise ConfigError(
                f"widths of DenoisingUNet must be multiples of {NUM_GROUPS}, the groups of its "
                f"norms, got {tuple(widths)}"
            )
        self.in_channels, self.num_inputs, self.num_targets = in_channels, num_inputs, num_targets
        self.condition_channels = condition_channels or in_channels
        stacked = num_targets * in_channels + num_inputs * self.condition_channels
        embedding = 4 * widths[0]
        self.embed = TimeEmbedding(embedding)
        self.inlet = nn.Conv2d(stacked, widths[0], 3, padding=1)
        self.encode = nn.ModuleList(ResidualBlock(w, w, embedding) for w in widths)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, deep, 3, stride=2, padding=1) for fine, deep in pairwise(widths)
        )
        self.decode = nn.ModuleList(
            ResidualBlock(fine + deep, fine, embedding) for deep, fine in pairwise(widths[::-1])
        )
        self.norm = nn.GroupNorm(NUM_GROUPS, widths[0])
        self.read = nn.Conv2d(widths[0], num_targets * in_channels, 3, padding=1)
        nn.init.zeros_(self.read.weight)  # the first output is 0, the mean of its target

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        length, channels = TOY_SHAPE[:2]
        counts = {"num_inputs": length, "num_targets": length}
        return {"in_channels": channels, **counts, "widths": (8, 8)}

    def forward(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        check_shapes(self, noisy, condition, multiple=2 ** len(self.shrink))
        embedding = self.embed(time)
        x = torch.cat([noisy.flatten(1, 2), condition.flatten(1, 2)], dim=1)
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        x = self.inlet(x)
        finer = []
        for block, shrink in zip(self.encode[:-1], self.shrink, strict=True):
            finer.append(block(x, embedding))
            x = shrink(finer[-1])
        x = self.encode[-1](x, embedding)
        for block, skip in zip(self.decode, reversed(finer), strict=True):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([skip, x], dim=1), embedding)
        return self.read(F.silu(self.norm(x))).view_as(noisy)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a modulation by the time, plus a shortcut.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.
        embedding: Features of the embedded time.

    Shape:
        - x: (B, C, H, W); embedding: (B, D); returns: (B, C', H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, embedding: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(NUM_GROUPS, in_channels)
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second_norm = nn.GroupNorm(NUM_GROUPS, out_channels)
        self.modulate = Modulation(embedding, out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        inner = self.first(F.silu(self.first_norm(x)))
        inner = self.modulate(self.second_norm(inner), embedding)
        return self.shortcut(x) + self.second(F.silu(inner))


def check_shapes(net: Any, noisy: Tensor, condition: Tensor, *, multiple: int) -> None:
    """Compare noisy frames and past with the arguments of a net.

    Raises:
        ShapeError: If they differ, or height and width are no multiples.
    """
    given = tuple(int(size) for size in condition.shape[1:3])  # tensors while tracing
    built = (net.num_inputs, net.condition_channels)
    name = type(net).__name__
    if given != built:
        raise ShapeError(
            f"{name} was built for a past of {built[0]} frames of {built[1]} channels, covariates "
            f"included; got {given[0]} of {given[1]}: set model.net.num_inputs={given[0]} and "
            f"model.net.condition_channels={given[1]}"
        )
    if any(int(side) % multiple for side in noisy.shape[-2:]):
        raise ShapeError(
            f"{name} halves frames until a side is divided by {multiple}; {noisy.shape[-2]} x "
            f"{noisy.shape[-1]} pixels are no multiple: use fewer levels or frames of another size"
        )
