"""A ConvLSTM over whole sequences."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.convlstm_cell import Memory, next_memory
from openstl_ext.layers.convlstm_gates import ConvGates
from openstl_ext.layers.layout import published


class SequenceConvLSTM(nn.Module):
    """Read a sequence of maps with a ConvLSTM; say what it says last.

    What comes from the input goes through its half of the convolution for all steps at once; only
    the half over the memory has to wait for the step before.

    Args:
        channels: Width D of the maps and of the memory.
        kernel_size: Side of the kernel, in pixels; odd.

    Shape:
        - maps: (B, T, D, H, W); returns: (B, D, H, W).

    Source:
        Shi et al. (arXiv:1506.04214); xian1234/ST-Mamba@9dae127, models/convlstm_unet.py.
    """

    def __init__(self, channels: int, *, kernel_size: int = 3) -> None:
        super().__init__()
        self.gates = ConvGates(channels, channels, kernel_size=kernel_size, bias=True)

    def forward(self, maps: Tensor) -> Tensor:
        memory = self._step_by_step(maps) if published() else self._at_once(maps)
        return memory.hidden

    def _at_once(self, maps: Tensor) -> Memory:
        of_input = self.gates.of_input(maps.transpose(0, 1).flatten(0, 1))
        # cut and cast once; in the loop, each step would do it again, in the backward pass too
        weight = self.gates.hidden_weight.to(of_input.dtype)
        first, *later = of_input.unflatten(0, maps.shape[1::-1]).unbind()
        memory = next_memory(first, None)
        for step in later:
            gates = F.conv2d(memory.hidden, weight, padding=self.gates.conv.padding).add_(step)
            memory = next_memory(gates, memory)
        return memory

    def _step_by_step(self, maps: Tensor) -> Memory:
        memory = Memory(*torch.zeros_like(maps[:, :2]).unbind(1))
        for x in maps.unbind(1):
            memory = next_memory(self.gates(x, memory.hidden), memory)
        return memory
