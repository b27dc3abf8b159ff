"""A residual block around a four-way selective scan."""

import torch
from torch import Tensor, nn

from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.ss2d import SS2D


class StateSpaceBlock(nn.Module):
    """Normalise, mix in what is remembered, scan in four directions, add.

    There is no feed-forward part: depth comes from many of these.

    Args:
        channels: Width d of input and output.
        recurrent: Whether the block hears a memory. One that does not has no weights for it.
        state_size: Numbers each channel of the scan remembers.
        drop_path_prob: Probability to skip the scan for a sample, in training.
        dropout_prob: Dropout of the scan's output.
        norm_eps: Added to the variance by the norm.
        scan_backend: Which selective scan runs; None for the best there is.

    Shape:
        - x, memory, output: (B, H, W, d). A block that is not recurrent is given no memory.

    Source:
        yyyujintang/VMRNN-PyTorch@8e6cfb7, openstl/modules/VMRNN_modules.py (VSB).

    Deviations:
        Upstream every block owns the layer that mixes memory in, although only the first of a
        cell uses it.
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
        heard = self.norm(x)
        if self.mix is not None and memory is not None:
            # Upstream: one norm serves both (VMRNN_modules.py, VSB.forward)
            heard = self.mix(torch.cat([heard, self.norm(memory)], dim=-1))
        return x + self.drop_path(self.attention(heard))
