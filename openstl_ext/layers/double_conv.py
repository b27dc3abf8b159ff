"""The block that U-Nets are made of."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.layout import rearranged
from openstl_ext.layers.step_batch_norm import StepBatchNormReLU


class DoubleConv(nn.Module):
    """Twice: convolve 3x3, normalise over the batch, cut off below zero.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.
        mid_channels: Width between the two; None for that of the output.

    Shape:
        - x: (N, C, H, W); returns: (N, C', H, W). With ``num_steps`` T, N is T * B, time slowest,
          and in training each step is normalised apart.

    Source:
        Ronneberger et al., U-Net (arXiv:1505.04597), with the batch norms that came later;
        xian1234/ST-Mamba@9dae127, models/common.py.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, mid_channels: int | None = None
    ) -> None:
        super().__init__()
        between = mid_channels or out_channels
        self.first = nn.Conv2d(in_channels, between, kernel_size=3, padding=1, bias=False)
        self.first_norm = StepBatchNormReLU(between)
        self.second = nn.Conv2d(between, out_channels, kernel_size=3, padding=1, bias=False)
        self.second_norm = StepBatchNormReLU(out_channels)

    def forward(self, x: Tensor, num_steps: int = 1) -> Tensor:
        x = self._normed(x, self.first, self.first_norm, num_steps)
        return self._normed(x, self.second, self.second_norm, num_steps)

    @staticmethod
    def _normed(x: Tensor, conv: nn.Conv2d, norm: StepBatchNormReLU, num_steps: int) -> Tensor:
        if norm.training or torch.is_grad_enabled() or not rearranged(x):
            return norm(conv(x), num_steps)
        weight, bias = norm.folded(conv.weight)
        return F.relu(F.conv2d(x, weight, bias, padding=1), inplace=True)
