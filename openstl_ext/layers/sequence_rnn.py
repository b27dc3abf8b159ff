"""Recurrent cells over the maps of a whole sequence: ConvGRU and ConvLSTM."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.convlstm import ConvGates, Memory, next_memory
from openstl_ext.layers.memory_format import at_least_float32, keeps_published_order


class SequenceConvGRU(nn.Module):
    """Convolutional GRU over a sequence of maps; returns the last hidden state.

    The part of the convolutions over the input is computed for all steps at once; only the part
    over the hidden state is computed step by step.

    Args:
        channels: Width D of the maps and of the hidden state.
        kernel_size: Side of the kernels, in pixels; odd.

    Shape:
        - maps: (B, T, D, H, W); returns: (B, D, H, W), in float32 also under autocast.

    Source:
        Ballas et al., ConvGRU (arXiv:1511.06432); xian1234/ST-Mamba@9dae127,
        models/convgru_unet.py: gates in the order reset, update; with an update gate of 1 the new
        state is the candidate.
    """

    def __init__(self, channels: int, *, kernel_size: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.padding = kernel_size // 2
        self.gates = nn.Conv2d(2 * channels, 2 * channels, kernel_size, padding=self.padding)
        self.candidate = nn.Conv2d(2 * channels, channels, kernel_size, padding=self.padding)

    def forward(self, maps: Tensor) -> Tensor:
        return self._step_by_step(maps) if keeps_published_order() else self._at_once(maps)

    def _at_once(self, maps: Tensor) -> Tensor:
        layers, width = (self.gates, self.candidate), self.channels
        convolve = partial(F.conv2d, padding=self.padding)
        weight = torch.cat([layer.weight[:, :width] for layer in layers])
        bias = torch.cat([layer.bias for layer in layers if layer.bias is not None])
        x = maps.transpose(0, 1).flatten(0, 1)
        of_input = convolve(x, weight, bias)
        # sliced and cast once; in the loop this would be repeated at each step, also backward
        of_gates, of_candidate = (layer.weight[:, width:].to(of_input.dtype) for layer in layers)
        steps = of_input.unflatten(0, maps.shape[1::-1]).unbind()
        _, update, candidate = steps[0].chunk(3, dim=1)  # the first hidden state is zero
        hidden = at_least_float32(update.sigmoid() * candidate.tanh())
        for step in steps[1:]:
            gates, candidate = step.split([2 * width, width], dim=1)
            reset, update = convolve(hidden, of_gates).add_(gates).sigmoid_().chunk(2, dim=1)
            candidate = convolve(reset * hidden, of_candidate).add_(candidate).tanh_()
            hidden = torch.lerp(hidden, *map(at_least_float32, (candidate, update)))
        return hidden

    def _step_by_step(self, maps: Tensor) -> Tensor:
        hidden = at_least_float32(torch.zeros_like(maps[:, 0]))
        for x in maps.unbind(1):
            gates = self.gates(torch.cat([x, hidden.to(x.dtype)], dim=1))
            reset, update = gates.sigmoid().chunk(2, dim=1)
            memory = (reset * hidden).to(x.dtype)
            candidate = self.candidate(torch.cat([x, memory], dim=1)).tanh()
            hidden = (1 - update) * hidden + update * candidate
        return hidden


class SequenceConvLSTM(nn.Module):
    """ConvLSTM over a sequence of maps; returns the last hidden state.

    The part of the convolution over the input is computed for all steps at once; only the part
    over the hidden state is computed step by step.

    Args:
        channels: Width D of the maps and of the hidden state.
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
        memory = self._step_by_step(maps) if keeps_published_order() else self._at_once(maps)
        return memory.hidden

    def _at_once(self, maps: Tensor) -> Memory:
        of_input = self.gates.of_input(maps.transpose(0, 1).flatten(0, 1))
        # sliced and cast once; in the loop this would be repeated at each step, also backward
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
