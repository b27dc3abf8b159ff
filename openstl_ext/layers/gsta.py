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
        module: Module whose convolutions, at any depth, are initialised.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = math.prod(part.kernel_size) * part.out_channels // part.groups
            nn.init.normal_(part.weight, std=math.sqrt(2 / fan_out))
            if part.bias is not None:
                nn.init.zeros_(part.bias)


class PointwiseConv2d(nn.Conv2d):
    """1x1 convolution: mix the channels of each pixel.

    On CPUs in bf16 it is computed as a matrix product, because the library's weight gradient of a
    convolution takes twice as long. The names of the weights are those of ``nn.Conv2d``, and so
    are the outputs up to rounding.

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
    """Return the sides of the dense and the dilated kernel that together emulate a large one."""
    near = 2 * dilation - 1
    far = kernel_size // dilation
    return near, far - 1 + far % 2  # odd, so that padding keeps H and W


class GatedSpatialAttention(nn.Module):
    """Large-kernel attention with a gated output.

    The large depthwise kernel is factored into a small dense one and a dilated one. This keeps the
    receptive field and needs far fewer weights.

    Args:
        channels: Width C of input and output; in SimVP, time times channels.
        kernel_size: Side of the emulated kernel, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.

    Shape:
        - input, output: (N, C, H, W).

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
    """Attention between two 1x1 projections, with a residual connection.

    Args:
        channels: Width C of input and output.
        core: The attention, from (N, C, H, W) to the same shape.

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
    """Temporal attention unit: large-kernel spatial attention times channel attention.

    The channels hold time times features, so a weight for each channel also weights time steps.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the emulated kernel, in pixels.
        dilation: Spacing of the dilated kernel, in pixels.
        reduction: Factor by which the squeezed channels are reduced, with a minimum of four.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        Tan et al., TAU (arXiv:2206.12126); chengtan9907/OpenSTL@c74deb5, simvp_modules.py.

    Deviations:
        Upstream: the quotient ``max(C // reduction, 4)`` is used as the reduction. C is divided by
        it, and about 16 units remain for any C. This layer does the same, so that published
        weights fit.
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
        spatial = self.mix(self.far(self.near(x)))
        temporal = self.excite(self.squeeze(x.mean(dim=(-2, -1))).relu()).sigmoid()
        return temporal[..., None, None] * spatial * x


class ConvFeedForward(nn.Module):
    """Feed-forward layer with a 3x3 depthwise convolution between its two projections.

    Args:
        channels: Width C of input and output.
        hidden_channels: Width between the projections.
        dropout: Share of values dropped after the activation and after the last projection.

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
    """Residual block: gated attention, then a feed-forward layer, each normalised and scaled.

    Args:
        channels: Width C of input and output.
        mlp_ratio: Width of the feed-forward layer as a multiple of C.
        dropout: Share of values dropped in the feed-forward layer.
        drop_path: Probability that a sample skips a branch in training.

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
    """Blocks in a row: the first has the outer width, all others the inner one.

    Each block keeps its width. A 1x1 convolution after it changes the width if the next block, or
    the output, has another one.

    Args:
        block: Builds a block from its width and its drop-path probability.
        channels: Outer width C, of input and output.
        hidden_channels: Inner width.
        num_blocks: Number of blocks, at least two.
        drop_path: Drop-path probability of the last block; it is 0.01 at the first and linear in
            between.

    Shape:
        - input, output: (N, C, H, W).

    Source:
        chengtan9907/OpenSTL@c74deb5, simvp_model.py. Upstream: the schedule starts at 0.01 even
        if it ends at 0, so a published ``drop_path = 0`` still drops paths.
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
