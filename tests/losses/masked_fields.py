"""Fields with gaps for the tests of criteria."""

import torch
from torch import Tensor

SHAPE = (2, 2, 1, 24, 20)


def fields(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction, target, and where both hold data; the gaps hold other numbers."""
    draw = torch.Generator().manual_seed(seed)
    prediction, target = (torch.rand(SHAPE, generator=draw) for _ in range(2))
    valid = torch.ones(SHAPE, dtype=torch.bool)
    valid[0, 0, :, 3:5, 17:] = False
    valid[1, 1, :, :4] = False
    return prediction, target, valid


def judged(loss: torch.nn.Module, filler: float) -> tuple[Tensor, Tensor]:
    """Value and gradient where the gaps of both sides hold something."""
    prediction, target, valid = fields()
    planted = torch.where(valid, prediction, filler).requires_grad_()
    value = loss(planted, torch.where(valid, target, filler), valid)
    value.backward()
    assert planted.grad is not None
    return value.detach(), planted.grad
