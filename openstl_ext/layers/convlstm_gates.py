"""The convolutions that open and close an LSTM's gates."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GATES = 4


class ConvGates(nn.Module):
    """One convolution over what comes from below and what was said before, side by side.

    Equal to the sum of two convolutions, in half the launches.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        bias: Whether each gate has one.

    Shape:
        - x: (B, C, H, W); hidden: (B, D, H, W), or None where it is all zeros.
        - returns: (B, 4 D, H, W).
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, *, kernel_size: int, bias: bool = False
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.conv = nn.Conv2d(
            in_channels + hidden_channels,
            GATES * hidden_channels,
            kernel_size,
            padding=kernel_size // 2,
            bias=bias,
        )

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        hidden = traced(hidden, x, self.conv.in_channels - self.in_channels)
        if hidden is None:  # zeros convolve to zeros
            return self.of_input(x)
        return self.conv(torch.cat([x, hidden.to(x.dtype)], dim=1))

    def of_input(self, x: Tensor) -> Tensor:
        """What the input adds to the gates, the bias with it."""
        weight = self.conv.weight[:, : self.in_channels]
        return F.conv2d(x, weight, self.conv.bias, padding=self.conv.padding)

    @property
    def hidden_weight(self) -> Tensor:
        """The part of the kernel that goes over what was said before."""
        return self.conv.weight[:, self.in_channels :]


class NormedConvGates(nn.Module):
    """Two convolutions, each followed by a layer norm over channels and space, then added.

    The norm's weights are as large as the map, so frames of another size do not fit.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        map_size: Height and width of the map.

    Shape:
        - x: (B, C, H, W); hidden: (B, D, H, W), or None where it is all zeros.
        - returns: (B, 4 D, H, W).
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        *,
        kernel_size: int,
        map_size: Sequence[int],
    ) -> None:
        super().__init__()
        gates = GATES * hidden_channels
        padding = kernel_size // 2
        self.of_input = nn.Conv2d(in_channels, gates, kernel_size, padding=padding, bias=False)
        self.input_norm = nn.LayerNorm([gates, *map_size])
        self.of_hidden = nn.Conv2d(hidden_channels, gates, kernel_size, padding=padding, bias=False)
        self.hidden_norm = nn.LayerNorm([gates, *map_size])

    def forward(self, x: Tensor, hidden: Tensor | None) -> Tensor:
        hidden = traced(hidden, x, self.of_hidden.in_channels)
        below = self.input_norm(self.of_input(x))
        if hidden is None:  # a norm of zeros is its bias
            return below + self.hidden_norm.bias
        return below + self.hidden_norm(self.of_hidden(hidden))


def traced(hidden: Tensor | None, x: Tensor, channels: int) -> Tensor | None:
    """While tracing, a missing memory as zeros: counters look for what is published."""
    if hidden is None and torch.jit.is_tracing():
        return x.new_zeros(len(x), channels, *x.shape[2:])
    return hidden
