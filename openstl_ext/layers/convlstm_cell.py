"""One ConvLSTM cell."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.layers.at_least_float32 import at_least_float32
from openstl_ext.layers.convlstm_gates import ConvGates, NormedConvGates

Output = Literal["corrected", "published_tables"]
OUTPUTS: tuple[str, ...] = ("corrected", "published_tables")


class Memory(NamedTuple):
    """What a cell hands to itself in the next step.

    Fields:
        hidden: What it said (B, D, H, W).
        cell: What it keeps (B, D, H, W), in float32 also where the convolutions run in bf16,
            because it adds up over many steps.
    """

    hidden: Tensor
    cell: Tensor


class ConvLSTMCell(nn.Module):
    """An LSTM cell whose four gates are convolutions, in the order input, forget, new, output.

    Args:
        in_channels: Channels C of the input.
        hidden_channels: Width D of the memory.
        kernel_size: Side of the kernel, odd.
        output: ``corrected`` says ``gate * tanh(cell)``. ``published_tables`` says
            ``gate * new``, where what is kept never reaches what is said.
        map_size: Height and width of the map, to follow each convolution by a layer norm over
            channels and space; None for no norm.
        bias: Whether each gate has a bias; with a norm, the norm's stands for it.

    Shape:
        - x: (B, C, H, W); memory: of (B, D, H, W), or None at the start.
        - returns: what it says (B, D, H, W), and the next memory.

    Raises:
        ConfigError: If there is no such output.

    Source:
        Shi et al. (arXiv:1506.04214); chengtan9907/OpenSTL@c74deb5, modules/convlstm_modules.py;
        ``published_tables`` after OpenSTL@0a0f36c, whose cells made the published tables.

    Deviations:
        Upstream creates ``conv_o`` and ``conv_last``, which nothing uses; we do not. Neither adds
        anything to the forget gate, although upstream names a bias for it.
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
            raise ConfigError(f"a ConvLSTM cell is one of {', '.join(OUTPUTS)}, not {output!r}")
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
    """What a cell keeps and says, from what its convolutions say of the gates.

    Args:
        gates: Input, forget, new, output, before their activations.
        memory: Of the step before; None at the start.
        output: As in `ConvLSTMCell`.

    Shape:
        - gates: (B, 4 D, H, W); memory: of (B, D, H, W).
    """
    write, forget, new, say = gates.chunk(4, dim=1)
    new = new.tanh()
    cell = at_least_float32(write.sigmoid() * new)
    if memory is not None:
        cell = torch.addcmul(cell, at_least_float32(forget.sigmoid()), memory.cell)
    # Upstream: OpenSTL 0.3 says `o * g` (modules/convlstm_modules.py@0a0f36c)
    said = cell.tanh() if output == "corrected" else new
    return Memory(say.sigmoid() * said.to(say.dtype), cell)
