"""One VMRNN cell."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from openstl_ext.layers.memory_format import at_least_float32
from openstl_ext.layers.ss2d import StateSpaceBlock


class Memory(NamedTuple):
    """What a cell hands to itself in the next step.

    Fields:
        hidden: What it said (B, H, W, d).
        cell: What it keeps (B, H, W, d), in float32 also where the blocks run in bf16, because it
            adds up over many steps.
    """

    hidden: Tensor
    cell: Tensor


class VMRNNCell(nn.Module):
    """State-space blocks that make one gate, which forgets, writes and says.

    With o the output of the blocks and F = sigmoid(o): C' = F (C + tanh o), H' = F tanh C'. **One
    gate for all three is the paper's design**, not a slip; three of them would be another net.

    Args:
        channels: Width d of the tokens.
        drop_path_probs: One a block: probability to skip it for a sample, in training; their
            number is the depth.
        state_size: Numbers each channel of the scans remembers.
        dropout_prob: Dropout of each scan's output.
        scan_backend: Which selective scan runs; None for the best there is.

    Shape:
        - x: (B, H, W, d); memory: of (B, H, W, d), or None at the start, which means zeros.
        - returns: what the cell says (B, H, W, d), and the next memory.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py.

    Deviations:
        ``num_heads``, ``window_size`` and ``drop`` do nothing upstream and are left out. Memory
        is mixed in at the first step too, where it is zeros: that is upstream's rule, and the
        norm of zeros is its bias.
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
