"""How many weights a method has."""

from torch import nn


def count_parameters(method: nn.Module, *, trainable: bool = False) -> int:
    """Number of weights; shared ones count once.

    Args:
        method: Anything with parameters.
        trainable: Count only those that training changes.
    """
    weights = method.parameters()
    return sum(w.numel() for w in weights if w.requires_grad or not trainable)
