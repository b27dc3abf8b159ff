"""Selective scan over four directions of an image, and its residual block."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.mamba import decay_log, step_bias
from openstl_ext.ops.cross_scan import DIRECTIONS, cross_scan


class SS2D(nn.Module):
    """2D selective scan: recurrences along rows and columns in both directions, with a gate.

    Four scans read the map by rows, by columns, and both reversed. Each has its own parameters;
    their outputs are added and multiplied by a gate computed from the input.

    Args:
        channels: Width d of input and output.
        state_size: State size N of each channel (d_state upstream).
        kernel_size: Side of the depthwise convolution before the scan, odd (d_conv upstream).
        expand: Ratio of the inner width I to d.
        step_rank: Rank R of the projection to the time step (dt_rank upstream); None for
            ceil(d / 16).
        conv_bias: Whether the convolution has a bias.
        bias: Whether the input and output projections have a bias.
        dropout_prob: Dropout of the output.
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - input, output: (B, H, W, d), any H and W.

    Source:
        Liu et al., VMamba (arXiv:2401.10166), its first version, as kept in
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/modules/vmamba.py.

    Deviations:
        Upstream marks decay and skip as exempt from weight decay, but its optimisers never read
        the mark; this layer has no mark.
    """

    def __init__(
        self,
        channels: int,
        *,
        state_size: int = 16,
        kernel_size: int = 3,
        expand: float = 2.0,
        step_rank: int | None = None,
        conv_bias: bool = True,
        bias: bool = False,
        dropout_prob: float = 0.0,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        inner = int(expand * channels)
        rank = step_rank or math.ceil(channels / 16)
        self.splits = (rank, state_size, state_size)
        self.scan_backend = scan_backend
        self.in_proj = nn.Linear(channels, 2 * inner, bias=bias)
        self.conv = nn.Conv2d(
            inner, inner, kernel_size, padding=kernel_size // 2, groups=inner, bias=conv_bias
        )
        self.select_proj = nn.Parameter(torch.empty(DIRECTIONS, sum(self.splits), inner))
        self.step_proj = nn.Parameter(torch.empty(DIRECTIONS, inner, rank))
        self.step_bias = nn.Parameter(step_bias((DIRECTIONS, inner)))
        self.decay_log = nn.Parameter(decay_log(DIRECTIONS * inner, state_size))
        self.skip = nn.Parameter(torch.ones(DIRECTIONS * inner))
        self.norm = nn.LayerNorm(inner)
        self.out_proj = nn.Linear(inner, channels, bias=bias)
        self.dropout = nn.Dropout(dropout_prob)
        nn.init.uniform_(self.select_proj, -(inner**-0.5), inner**-0.5)  # as nn.Linear does
        nn.init.uniform_(self.step_proj, -(rank**-0.5), rank**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        x, gate = self.in_proj(x).chunk(2, dim=-1)
        x = F.silu(self.conv(x.permute(0, 3, 1, 2)))
        y = self.scan(x).to(x.dtype) * F.silu(gate)
        return self.dropout(self.out_proj(y))

    def scan(self, x: Tensor) -> Tensor:
        """Scan in four directions, add the outputs and normalise.

        Shape:
            - x: (B, I, H, W); returns: (B, H, W, I).
        """
        height, width = x.shape[2:]
        selected = torch.einsum("bdl,kcd->bkcl", x.flatten(2), self.select_proj)
        step, write, read = selected.split(self.splits, dim=2)
        step = torch.einsum("bkrl,kdr->bkdl", step, self.step_proj)
        on_map = partial(torch.unflatten, dim=3, sizes=(height, width))
        y = cross_scan(
            x,
            on_map(step),
            -self.decay_log.exp(),
            on_map(write),
            on_map(read),
            self.skip,
            self.step_bias.flatten(),
            delta_softplus=True,
            backend=self.scan_backend,
        )
        return self.norm(y.permute(0, 2, 3, 1))


class StateSpaceBlock(nn.Module):
    """Residual block: norm, optional mixing with a memory, scan in four directions.

    It has no feed-forward layer; a cell stacks several blocks.

    Args:
        channels: Width d of input and output.
        recurrent: Whether the block has a memory as second input, and weights for it.
        state_size: State size of each channel of the scan.
        drop_path_prob: Probability to skip the scan for a sample, in training.
        dropout_prob: Dropout of the scan's output.
        norm_eps: Added to the variance by the norm.
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - x, memory, output: (B, H, W, d). A block that is not recurrent has no memory.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/modules/VMRNN_modules.py (VSB).

    Deviations:
        Upstream, every block has the layer for the memory, although only the first block of a cell
        uses it.
    """

    def __init__(
        self,
        channels: int,
        *,
        recurrent: bool,
        state_size: int = 16,
        drop_path_prob: float = 0.0,
        dropout_prob: float = 0.0,
        norm_eps: float = 1e-5,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=norm_eps)
        self.mix = nn.Linear(2 * channels, channels) if recurrent else None
        self.attention = SS2D(
            channels,
            state_size=state_size,
            dropout_prob=dropout_prob,
            scan_backend=scan_backend,
        )
        self.drop_path = DropPath(drop_path_prob)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        hidden = self.norm(x)
        if self.mix is not None and memory is not None:
            # Upstream: one norm is used for both inputs (VMRNN_modules.py, VSB.forward)
            hidden = self.mix(torch.cat([hidden, self.norm(memory)], dim=-1))
        return x + self.drop_path(self.attention(hidden))
