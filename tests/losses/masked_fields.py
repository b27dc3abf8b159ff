"""Fields with invalid pixels for the tests of losses."""

import torch
from torch import Tensor

SHAPE = (2, 2, 1, 24, 20)


def fields(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Return prediction, target and the mask of valid pixels; invalid pixels hold other numbers."""
    draw = torch.Generator().manual_seed(seed)
    prediction, target = (torch.rand(SHAPE, generator=draw) for _ in range(2))
    valid = torch.ones(SHAPE, dtype=torch.bool)
    valid[0, 0, :, 3:5, 17:] = False
    valid[1, 1, :, :4] = False
    return prediction, target, valid


def value_and_gradient(loss: torch.nn.Module, filler: float) -> tuple[Tensor, Tensor]:
    """Compute value and gradient of a loss with a filler in the invalid pixels of both sides."""
    prediction, target, valid = fields()
    filled = torch.where(valid, prediction, filler).requires_grad_()
    value = loss(filled, torch.where(valid, target, filler), valid)
    value.backward()
    assert filled.grad is not None
    return value.detach(), filled.grad
