"""Stochastic depth: skip residual branches at random in training."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Set a residual branch to zero for random samples in training.

    The kept branches are scaled up, so that the expectation does not change.

    Args:
        prob: Probability that the branch of a sample is dropped.

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
        # prob = 1 would divide 0 by 0
        return x * (kept / max(1 - self.prob, 1e-12)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"prob={self.prob:g}"
