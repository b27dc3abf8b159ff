"""VMRNN cell: one gate computed by state-space blocks."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from openstl_ext.layers.memory_format import at_least_float32
from openstl_ext.layers.ss2d import StateSpaceBlock


class Memory(NamedTuple):
    """State of a cell between two steps.

    Fields:
        hidden: Hidden state (B, H, W, d), also the output of the cell.
        cell: Cell state (B, H, W, d), in float32 even if the blocks run in bf16, because rounding
            errors add up over many steps.
    """

    hidden: Tensor
    cell: Tensor


class VMRNNCell(nn.Module):
    """Recurrent cell whose forget, input and output gate are one, computed by state-space blocks.

    With the output o of the blocks and F = sigmoid(o): C' = F (C + tanh o), H' = F tanh C'. **One
    gate for all three is the paper's design**; a net with three gates would be another one.

    Args:
        channels: Width d of the tokens.
        drop_path_probs: For each block the probability to skip it for a sample, in training; the
            number of values is the depth.
        state_size: State size of each channel of the scans.
        dropout_prob: Dropout of each scan's output.
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - x: (B, H, W, d); memory: of (B, H, W, d), or None at the start, which means zeros.
        - returns: hidden state (B, H, W, d), and the next memory.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py.

    Deviations:
        ``num_heads``, ``window_size`` and ``drop`` have no effect upstream and do not exist here.
        As upstream, the memory is also mixed in at the first step, where it is zero; the norm of
        zeros is its bias.
    """

    def __init__(
        self,
        channels: int,
        *,
        drop_path_probs: Sequence[float],
        state_size: int = 16,
        dropout_prob: float = 0.0,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            StateSpaceBlock(
                channels,
                recurrent=index == 0,
                state_size=state_size,
                drop_path_prob=prob,
                dropout_prob=dropout_prob,
                scan_backend=scan_backend,
            )
            for index, prob in enumerate(drop_path_probs)
        )

    def forward(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        if memory is None:
            memory = Memory(torch.zeros_like(x), torch.zeros_like(at_least_float32(x)))
        first, *rest = self.blocks
        x = first(x, memory.hidden)
        for block in rest:
            x = block(x)
        gate = x.sigmoid()
        cell = gate * (memory.cell + x.tanh())
        hidden = gate * cell.tanh().to(gate.dtype)
        return hidden, Memory(hidden, cell)
