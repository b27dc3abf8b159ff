"""Stochastic depth."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Leave out a residual branch for a random part of the samples, while training.

    What is kept is scaled up, so that the expectation stays.

    Args:
        prob: Probability that the branch of a sample is left out.

    Shape:
        - input, output: (N, ...).

    Source:
        Huang et al., Deep networks with stochastic depth (arXiv:1603.09382).
    """

    def __init__(self, prob: float = 0.0) -> None:
        super().__init__()
        self.prob = prob

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.prob == 0:
            return x
        kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.prob
        # a branch that is always left out has nothing to scale
        return x * (kept / max(1 - self.prob, 1e-12)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"prob={self.prob:g}"
