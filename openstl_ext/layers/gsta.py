"""Gated spatiotemporal attention: the blocks of SimVP's gSTA translator."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d
from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.memory_format import prefers_fast_layout


def init_fan_out(module: nn.Module) -> None:
    """Draw the weights of every convolution from N(0, 2 / fan-out); set its bias to zero.

    The fan-out of a grouped convolution counts one group, unlike ``kaiming_normal_``.

    Args:
        module: Searched with all its children.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = math.prod(part.kernel_size) * part.out_channels // part.groups
            nn.init.normal_(part.weight, std=math.sqrt(2 / fan_out))
            if part.bias is not None:
                nn.init.zeros_(part.bias)


class PointwiseConv2d(nn.Conv2d):
    """Mix the channels of each pixel on its own.

    On CPUs in bf16 it is computed as the matrix product that it is, because the library's gradient
    of a convolution with respect to its weight takes twice as long. The names of the weights, and
    the numbers up to rounding, are those of ``nn.Conv2d``.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.

    Shape:
        - input: (N, C, H, W); output: (N, C', H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        kind = x.device.type
        low = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.bfloat16
        if not low or not prefers_fast_layout(x):
            return super().forward(x)
        (n, _, height, width), pixels = x.shape, x.permute(0, 2, 3, 1).flatten(0, 2)
        mixed = F.linear(pixels, self.weight.flatten(1), self.bias)
        return mixed.view(n, height, width, -1).permute(0, 3, 1, 2)


def wide_kernel_sizes(kernel_size: int, dilation: int) -> tuple[int, int]:
    """Sides of the dense and of the dilated kernel that together imitate a wide one."""
    near = 2 * dilation - 1
    far = kernel_size // dilation
    return near, far - 1 + far % 2  # odd, so that padding keeps H and W


class GatedSpatialAttention(nn.Module):
    """Weigh each position by its wide neighbourhood, then let a gate choose.

    A wide depthwise kernel is factored into a small dense one and a dilated one, which keeps the
    receptive field and drops most of the weights.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the neighbourhood to imitate, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.

    Shape:
        - input, output: (N, C, H, W). In SimVP, N is the batch and C holds time times channels.

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.
    """

    def __init__(self, channels: int, *, kernel_size: int = 21, dilation: int = 3) -> None:
        super().__init__()
        near, far = wide_kernel_sizes(kernel_size, dilation)
        self.near = DilatedDepthwiseConv2d(channels, kernel_size=near, dilation=1)
        self.far = DilatedDepthwiseConv2d(channels, kernel_size=far, dilation=dilation)
        self.mix = PointwiseConv2d(channels, 2 * channels)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.mix(self.far(self.near(x))).chunk(2, dim=1)
        return gate.sigmoid() * value


class ProjectedAttention(nn.Module):
    """Project, attend, project back, and add what came in.

    Args:
        channels: Width C of input and output.
        core: The attention proper, (N, C, H, W) to the same.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Guo et al., Visual attention network (arXiv:2202.09741).
    """

    def __init__(self, channels: int, core: nn.Module) -> None:
        super().__init__()
        self.before = PointwiseConv2d(channels, channels)
        self.core = core
        self.after = PointwiseConv2d(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.core(F.gelu(self.before(x)))) + x


class TemporalAttention(nn.Module):
    """Weigh the input by its wide neighbourhood and by what its channels say as a whole.

    Channels hold time times features, so weighing channels weighs times.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the neighbourhood to imitate, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.
        reduction: Factor by which the squeezed channels are narrowed, but for a floor of four.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Tan et al., TAU (arXiv:2206.12126); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.

    Deviations:
        Upstream: the quotient ``max(C // reduction, 4)`` is taken for the reduction, so C is
        divided by it and about 16 units remain whatever C is. We do the same, for the weights'
        sake.
    """

    def __init__(
        self, channels: int, *, kernel_size: int = 21, dilation: int = 3, reduction: int = 16
    ) -> None:
        super().__init__()
        near, far = wide_kernel_sizes(kernel_size, dilation)
        self.near = DilatedDepthwiseConv2d(channels, kernel_size=near, dilation=1)
        self.far = DilatedDepthwiseConv2d(channels, kernel_size=far, dilation=dilation)
        self.mix = PointwiseConv2d(channels, channels)
        narrow = channels // max(channels // reduction, 4)
        self.squeeze = nn.Linear(channels, narrow, bias=False)
        self.excite = nn.Linear(narrow, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        where = self.mix(self.far(self.near(x)))
        when = self.excite(self.squeeze(x.mean(dim=(-2, -1))).relu()).sigmoid()
        return when[..., None, None] * where * x


class ConvFeedForward(nn.Module):
    """Widen, mix each channel with its 3x3 neighbourhood, narrow.

    Args:
        channels: Width C of input and output.
        hidden_channels: Width in between.
        dropout: Share of values dropped after the activation and after the end.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Guo et al., Visual attention network (arXiv:2202.09741).
    """

    def __init__(self, channels: int, hidden_channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.widen = PointwiseConv2d(channels, hidden_channels)
        self.depthwise = nn.Conv2d(
            hidden_channels, hidden_channels, 3, padding=1, groups=hidden_channels
        )
        self.narrow = PointwiseConv2d(hidden_channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(F.gelu(self.depthwise(self.widen(x))))
        return self.dropout(self.narrow(x))


class GSTABlock(nn.Module):
    """Gated attention, then a feed-forward layer, each normalised, scaled and added.

    Args:
        channels: Width C of input and output.
        mlp_ratio: Width of the feed-forward layer as a multiple of C.
        dropout: Share of values dropped in the feed-forward layer.
        drop_path: Probability that a sample skips a branch while training.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.
    """

    def __init__(
        self, channels: int, *, mlp_ratio: float = 8.0, dropout: float = 0.0, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.attention = ProjectedAttention(channels, GatedSpatialAttention(channels))
        self.norm2 = nn.BatchNorm2d(channels)
        self.feed_forward = ConvFeedForward(channels, int(channels * mlp_ratio), dropout=dropout)
        self.drop_path = DropPath(drop_path)
        self.scale1 = nn.Parameter(torch.full((channels,), 1e-2))
        self.scale2 = nn.Parameter(torch.full((channels,), 1e-2))
        init_fan_out(self)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.attention(self.norm1(x))
        x = x + self.drop_path(self.scale1[:, None, None] * branch)
        branch = self.feed_forward(self.norm2(x))
        return x + self.drop_path(self.scale2[:, None, None] * branch)


class BlockStack(nn.Module):
    """Blocks in a row: the first works at the outer width, all others at the inner one.

    Each block keeps its width; a 1x1 convolution behind it changes the width where the next block,
    or the way out, has another.

    Args:
        block: Makes a block from its width and its drop-path probability.
        channels: Outer width C, of input and output.
        hidden_channels: Inner width.
        num_blocks: Number of blocks, at least two.
        drop_path: Drop-path probability of the last block; it is 0.01 at the first and linear in
            between.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        chengtan9907/OpenSTL@c74deb5, simvp_model.py. Upstream: the schedule starts at 0.01 even
        where it ends at 0, so a published ``drop_path = 0`` still drops paths.
    """

    def __init__(
        self,
        block: Callable[[int, float], nn.Module],
        *,
        channels: int,
        hidden_channels: int,
        num_blocks: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        probs = torch.linspace(1e-2, drop_path, num_blocks).tolist()
        widths = [channels, *[hidden_channels] * (num_blocks - 1), channels]
        self.blocks = nn.ModuleList(block(*pair) for pair in zip(widths, probs, strict=False))
        self.resizes = nn.ModuleList(
            nn.Conv2d(here, there, kernel_size=1) if here != there else nn.Identity()
            for here, there in pairwise(widths)
        )

    def forward(self, x: Tensor) -> Tensor:
        for block, resize in zip(self.blocks, self.resizes, strict=True):
            x = resize(block(x))
        return x
