"""The Mamba block: causal convolution and selective scan."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.ops.selective_scan import selective_scan


def decay_log(num_channels: int, state_size: int) -> Tensor:
    """Return the logarithm of the initial decay rates: 1 to N in every channel (S4D-real).

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
    """Draw the bias of the time step, so that its softplus is log-uniform between two lengths.

    Args:
        shape: Shape of the bias.
        shortest: Shortest time step.
        longest: Longest time step.
        floor: Lower limit of every step.
    """
    step = torch.exp(
        torch.rand(shape) * (math.log(longest) - math.log(shortest)) + math.log(shortest)
    ).clamp(min=floor)
    return step + torch.log(-torch.expm1(-step))  # the inverse of softplus


class CausalDepthwiseConv(nn.Module):
    """Depthwise convolution over the current and earlier time steps.

    Args:
        channels: Number of channels I.
        kernel_size: Number of time steps under the kernel, including the current one.
        bias: Whether the convolution has a bias.

    Shape:
        - input, output: (B, I, L).
    """

    def __init__(self, channels: int, *, kernel_size: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            channels,
            channels,
            kernel_size,
            padding=kernel_size - 1,
            groups=channels,
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)[..., : x.shape[-1]]  # the outputs after that depend on later steps


class MambaBlock(nn.Module):
    """Selective state space block over a sequence of tokens.

    It contains no norm and no residual connection; the caller adds both.

    Args:
        channels: Width d of a token (d_model upstream).
        state_size: State size N of each channel (d_state upstream).
        kernel_size: Tokens under the causal convolution before the scan (d_conv upstream).
        expand: Ratio of the inner width I to d.
        step_rank: Rank R of the projection to the time step (dt_rank upstream); None for
            ceil(d / 16).
        conv_bias: Whether the convolution has a bias.
        bias: Whether the input and output projections have a bias.
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - input, output: (B, L, d); token l of the output depends on tokens up to l only.

    Source:
        Gu and Dao, Mamba (arXiv:2312.00752); state-spaces/mamba@e9594ce,
        mamba_ssm/modules/mamba_simple.py.

    Deviations:
        Upstream needs CUDA; this block runs wherever PyTorch does. Decoding token by token is not
        implemented.
    """

    def __init__(
        self,
        channels: int,
        *,
        state_size: int = 16,
        kernel_size: int = 4,
        expand: float = 2,
        step_rank: int | None = None,
        conv_bias: bool = True,
        bias: bool = False,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        inner = int(expand * channels)
        rank = step_rank or math.ceil(channels / 16)
        self.splits = (rank, state_size, state_size)
        self.scan_backend = scan_backend
        self.in_proj = nn.Linear(channels, 2 * inner, bias=bias)
        self.conv = CausalDepthwiseConv(inner, kernel_size=kernel_size, bias=conv_bias)
        self.select_proj = nn.Linear(inner, sum(self.splits), bias=False)
        self.step_proj = nn.Linear(rank, inner)
        self.decay_log = nn.Parameter(decay_log(inner, state_size))
        self.skip = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, channels, bias=bias)
        nn.init.uniform_(self.step_proj.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            self.step_proj.bias.copy_(step_bias((inner,)))

    def forward(self, tokens: Tensor) -> Tensor:
        x, gate = self.in_proj(tokens).transpose(1, 2).chunk(2, dim=1)
        x = F.silu(self.conv(x))
        step, write, read = self.select_proj(x.transpose(1, 2)).split(self.splits, dim=-1)
        y = selective_scan(
            x,
            F.linear(step, self.step_proj.weight).transpose(1, 2),  # the scan adds the bias
            -self.decay_log.exp(),
            write.transpose(1, 2),
            read.transpose(1, 2),
            self.skip,
            z=gate,
            delta_bias=self.step_proj.bias,
            delta_softplus=True,
            backend=self.scan_backend,
        )
        assert isinstance(y, Tensor)  # it is a pair only if the last state is requested
        return self.out_proj(y.transpose(1, 2))
