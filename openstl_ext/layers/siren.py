"""Layers that wave: a perceptron with sines between its layers."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

FIRST_FREQUENCY = 30.0


class Siren(nn.Module):
    """A small net of positions, whose sines let it follow sharp borders.

    The first sine is of 30 times its argument, the others of their argument as it is, and weights
    are drawn so that each layer's arguments keep their spread.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width of the layers between.
        out_channels: Width of the answer, which no sine follows.
        num_hidden: Number of layers between.

    Shape:
        - input: (B, C, N); output: (B, C', N), N being positions.

    Source:
        Sitzmann et al. (arXiv:2006.09661); MarcCoru/locationencoder@afcc3e1, nn/siren.py.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, out_channels: int, *, num_hidden: int = 2
    ) -> None:
        super().__init__()
        widths = [in_channels, *[hidden_channels] * num_hidden, out_channels]
        layers = [nn.Linear(*pair) for pair in pairwise(widths)]
        for index, layer in enumerate(layers):
            width = layer.in_features
            bound = 1 / width if index == 0 else math.sqrt(6 / width)
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for index, layer in enumerate(hidden):
            # times the weights, which are few, and not times the positions, which are many
            x = _mixed(x, layer, FIRST_FREQUENCY if index == 0 else 1.0).sin()
        return _mixed(x, last, 1.0)


def _mixed(x: Tensor, layer: Any, frequency: float) -> Tensor:
    """A linear layer over axis 1, times a number."""
    weight, bias = layer.weight * frequency, layer.bias[:, None] * frequency
    return torch.baddbmm(bias, weight.expand(len(x), -1, -1), x)
