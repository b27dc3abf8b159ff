"""ConvLSTM cells with peephole-free gates, and stacks of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.layers.memory_format import at_least_float32

GATES = 4


class ConvGates(nn.Module):
    """Gates of an LSTM cell: one convolution over input and hidden state, concatenated.

    Equal to the sum of two convolutions, with half the kernel launches.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        bias: Whether each gate has a bias.

    Shape:
        - x: (B, C, H, W); hidden: (B, D, H, W), or None if it is all zeros.
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
        if hidden is None:  # the convolution of zeros is zero
            return self.of_input(x)
        return self.conv(torch.cat([x, hidden.to(x.dtype)], dim=1))

    def of_input(self, x: Tensor) -> Tensor:
        """Compute the contribution of the input to the gates, including the bias."""
        weight = self.conv.weight[:, : self.in_channels]
        return F.conv2d(x, weight, self.conv.bias, padding=self.conv.padding)

    @property
    def hidden_weight(self) -> Tensor:
        """Part of the kernel that is applied to the hidden state."""
        return self.conv.weight[:, self.in_channels :]


class NormedConvGates(nn.Module):
    """Gates of an LSTM cell: two convolutions, each with a layer norm over channels and space.

    The norm has a weight for each pixel of the map, so frames of another size do not fit.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        map_size: Height and width of the map.

    Shape:
        - x: (B, C, H, W); hidden: (B, D, H, W), or None if it is all zeros.
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
        from_input = self.input_norm(self.of_input(x))
        if hidden is None:  # the layer norm of zeros is its bias
            return from_input + self.hidden_norm.bias
        return from_input + self.hidden_norm(self.of_hidden(hidden))


def traced(hidden: Tensor | None, x: Tensor, channels: int) -> Tensor | None:
    """Return zeros for a missing hidden state while tracing.

    A FLOP count of the trace then includes the convolution of the published net.
    """
    if hidden is None and torch.jit.is_tracing():
        return x.new_zeros(len(x), channels, *x.shape[2:])
    return hidden


Output = Literal["corrected", "published_tables"]
OUTPUTS: tuple[str, ...] = ("corrected", "published_tables")


class Memory(NamedTuple):
    """State of a cell between two steps.

    Fields:
        hidden: Hidden state (B, D, H, W), also the output of the cell.
        cell: Cell state (B, D, H, W), in float32 even if the convolutions run in bf16, because
            rounding errors add up over many steps.
    """

    hidden: Tensor
    cell: Tensor


class ConvLSTMCell(nn.Module):
    """An LSTM cell whose four gates are convolutions, in the order input, forget, new, output.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        output: ``corrected`` outputs ``gate * tanh(cell)``. ``published_tables`` outputs
            ``gate * new``, so the cell state has no effect on the output.
        map_size: Height and width of the map, for a layer norm over channels and space after each
            convolution; None for no norm.
        bias: Whether each gate has a bias; with a norm, the norm's bias takes its place.

    Shape:
        - x: (B, C, H, W); memory: of (B, D, H, W), or None at the start.
        - returns: hidden state (B, D, H, W), and the next memory.

    Raises:
        ConfigError: If ``output`` is unknown.

    Source:
        Shi et al. (arXiv:1506.04214); chengtan9907/OpenSTL@c74deb5, modules/convlstm_modules.py;
        ``published_tables`` after OpenSTL@0a0f36c, whose cells made the published tables.

    Deviations:
        Upstream creates ``conv_o`` and ``conv_last``, which are never used; this cell does not.
        Neither adds a constant to the forget gate, although upstream has a variable for it.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        *,
        kernel_size: int,
        output: Output = "corrected",
        map_size: Sequence[int] | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise ConfigError(f"a cell must be one of {', '.join(OUTPUTS)}, got {output!r}")
        self.output = output
        self.gates: nn.Module
        if map_size is None:
            self.gates = ConvGates(in_channels, hidden_channels, kernel_size=kernel_size, bias=bias)
        else:
            self.gates = NormedConvGates(
                in_channels, hidden_channels, kernel_size=kernel_size, map_size=map_size
            )

    def forward(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        gates = self.gates(x, None if memory is None else memory.hidden)
        memory = next_memory(gates, memory, self.output)
        return memory.hidden, memory


def next_memory(gates: Tensor, memory: Memory | None, output: Output = "corrected") -> Memory:
    """Compute the next memory of an LSTM cell from its gates.

    Args:
        gates: Input, forget, new and output gate, before their activations.
        memory: Memory of the previous step; None at the start.
        output: As in `ConvLSTMCell`.

    Shape:
        - gates: (B, 4 D, H, W); memory: of (B, D, H, W).
    """
    write, forget, new, out = gates.chunk(4, dim=1)
    new = new.tanh()
    cell = at_least_float32(write.sigmoid() * new)
    if memory is not None:
        cell = torch.addcmul(cell, at_least_float32(forget.sigmoid()), memory.cell)
    # Upstream: OpenSTL 0.3 computes `o * g` (modules/convlstm_modules.py@0a0f36c)
    value = cell.tanh() if output == "corrected" else new
    return Memory(out.sigmoid() * value.to(out.dtype), cell)


class ConvLSTMStack(nn.Module):
    """Stack of ConvLSTM cells over a sequence; constant maps are concatenated to every step.

    One convolution over all concatenated channels is the fastest way on CPUs. Separate
    convolutions of the input for all steps at once, or of the constant maps only once, take as
    long at 64 channels and twice as long at 16.

    Args:
        in_channels: Channels C of a step, including the constant ones.
        hidden_channels: Width D of each cell.
        kernel_size: Side of the kernels, odd.
        num_layers: Number of cells.

    Shape:
        - steps: (B, T, C - S, H, W); constant: (B, S, H, W), or None for S = 0.
        - returns: the last hidden state of the top cell (B, D, H, W).

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/convlstm.py.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, *, kernel_size: int, num_layers: int
    ) -> None:
        super().__init__()
        widths = [in_channels, *[hidden_channels] * num_layers]
        self.cells = nn.ModuleList(
            ConvLSTMCell(below, width, kernel_size=kernel_size, bias=True)
            for below, width in pairwise(widths)
        )

    def forward(self, steps: Tensor, constant: Tensor | None) -> Tensor:
        memories: list[Memory | None] = [None] * len(self.cells)
        for step in steps.unbind(dim=1):
            x = step if constant is None else torch.cat([step, constant], dim=1)
            for index, cell in enumerate(self.cells):
                x, memories[index] = cell(x, memories[index])
        return x
