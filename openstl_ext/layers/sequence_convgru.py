"""A convolutional GRU over whole sequences."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.at_least_float32 import at_least_float32
from openstl_ext.layers.layout import published


class SequenceConvGRU(nn.Module):
    """Read a sequence of maps with a convolutional GRU; say the last memory.

    What comes from the input goes through its half of the convolutions for all steps at once;
    only the half over the memory has to wait for the step before.

    Args:
        channels: Width D of the maps and of the memory.
        kernel_size: Side of the kernels, in pixels; odd.

    Shape:
        - maps: (B, T, D, H, W); returns: (B, D, H, W), in float32 also under autocast.

    Source:
        Ballas et al., ConvGRU (arXiv:1511.06432); xian1234/ST-Mamba@9dae127,
        models/convgru_unet.py: gates in the order reset, update, and an update of 1 takes all new.
    """

    def __init__(self, channels: int, *, kernel_size: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.padding = kernel_size // 2
        self.gates = nn.Conv2d(2 * channels, 2 * channels, kernel_size, padding=self.padding)
        self.candidate = nn.Conv2d(2 * channels, channels, kernel_size, padding=self.padding)

    def forward(self, maps: Tensor) -> Tensor:
        return self._step_by_step(maps) if published() else self._at_once(maps)

    def _at_once(self, maps: Tensor) -> Tensor:
        layers, width = (self.gates, self.candidate), self.channels
        convolve = partial(F.conv2d, padding=self.padding)
        weight = torch.cat([layer.weight[:, :width] for layer in layers])
        bias = torch.cat([layer.bias for layer in layers if layer.bias is not None])
        x = maps.transpose(0, 1).flatten(0, 1)
        of_input = convolve(x, weight, bias)
        # cut and cast once; in the loop, each step would do it again, in the backward pass too
        of_gates, of_candidate = (layer.weight[:, width:].to(of_input.dtype) for layer in layers)
        steps = of_input.unflatten(0, maps.shape[1::-1]).unbind()
        _, update, candidate = steps[0].chunk(3, dim=1)  # zeros before, and they add nothing
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
