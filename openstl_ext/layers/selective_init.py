"""How the parameters of a selective state space start."""

import math

import torch
from torch import Tensor


def decay_log(num_channels: int, state_size: int) -> Tensor:
    """Logarithm of the decay rates: 1 to N in every channel (S4D-real).

    Shape:
        - returns: (num_channels, N).
    """
    rates = torch.arange(1, state_size + 1, dtype=torch.float32)
    return rates.log().repeat(num_channels, 1)


def step_bias(
    shape: tuple[int, ...],
    *,
    shortest: float = 1e-3,
    longest: float = 0.1,
    floor: float = 1e-4,
) -> Tensor:
    """Bias of the time step, so that its softplus is log-uniform between two lengths.

    Args:
        shape: Shape of the bias.
        shortest: Shortest time step.
        longest: Longest time step.
        floor: What no step may fall below.
    """
    step = torch.exp(
        torch.rand(shape) * (math.log(longest) - math.log(shortest)) + math.log(shortest)
    ).clamp(min=floor)
    return step + torch.log(-torch.expm1(-step))  # the inverse of softplus
