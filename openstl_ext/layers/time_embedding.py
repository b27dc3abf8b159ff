"""Embedding of a continuous time, and the modulation of maps by it."""

import math

import torch
from torch import Tensor, nn

NUM_FREQUENCIES = 16
LOWEST, HIGHEST = 0.125, 16.0
"""Frequencies, in periods per unit of time: slow enough for -2 to 2, fine enough for 0 to 1."""


class TimeEmbedding(nn.Module):
    """Embed a time by sines and cosines of fixed frequencies, then two linear layers.

    Args:
        width: Number D of features.

    Shape:
        - time: (B,), any real numbers; returns: (B, D).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        steps = torch.linspace(math.log(LOWEST), math.log(HIGHEST), NUM_FREQUENCIES)
        self.frequencies: Tensor
        self.register_buffer("frequencies", 2 * math.pi * steps.exp(), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * NUM_FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, time: Tensor) -> Tensor:
        angles = time.float()[:, None] * self.frequencies
        return self.layers(torch.cat([angles.sin(), angles.cos()], dim=1))


class Modulation(nn.Module):
    """Scale and shift the channels of a map by an embedding; the identity at the start.

    Args:
        embedding: Number D of features of the embedding.
        channels: Number C of channels.

    Shape:
        - x: (B, C, H, W); embedding: (B, D); returns: (B, C, H, W).

    Source:
        Perez et al., FiLM (arXiv:1709.07871).
    """

    def __init__(self, embedding: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(embedding, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.linear(embedding)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift
