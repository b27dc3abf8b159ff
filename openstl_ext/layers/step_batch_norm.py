"""Batch norm of a sequence whose steps are normalised apart."""

import torch
from torch import Tensor, nn


class StepBatchNorm2d(nn.BatchNorm2d):
    """Normalise each time step with its own batch statistics, all steps in one call.

    A net that is called once a step sees, in training, the mean and variance of that step alone,
    and moves its running statistics once a step. This does the same to a whole sequence, so that
    the convolutions around it may run on all steps at once. In evaluation the steps are all alike.

    Args:
        channels: Width D.
        eps: Added to the variance.
        momentum: Weight of a step in the running statistics.

    Shape:
        - x: (T * B, D, H, W), time slowest, T being ``num_steps``; returns: the same.
    """

    momentum: float

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__(channels, eps=eps, momentum=momentum)

    def forward(self, x: Tensor, num_steps: int = 1) -> Tensor:
        if num_steps == 1 or not self.training:
            return super().forward(x)
        return torch.cat(
            [super(StepBatchNorm2d, self).forward(part) for part in x.chunk(num_steps)]
        )
