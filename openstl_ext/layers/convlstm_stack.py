"""A stack of ConvLSTM cells over a sequence, of which the last word counts."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from openstl_ext.layers.convlstm_cell import ConvLSTMCell, Memory


class ConvLSTMStack(nn.Module):
    """Read maps one after another; what does not change in time is shown at every step.

    One convolution over all channels side by side is the fastest way on CPUs: apart, those of the
    input for all steps at once, or those of what is constant only once, it takes as long at 64
    channels and twice as long at 16.

    Args:
        in_channels: Channels C of a step, those that are constant included.
        hidden_channels: Width D of each cell.
        kernel_size: Side of the kernels, odd.
        num_layers: Number of cells.

    Shape:
        - steps: (B, T, C - S, H, W); constant: (B, S, H, W), or None for S = 0.
        - returns: what the top cell says last (B, D, H, W).

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/convlstm.py.
    """

    def __init__(
        self, in_channels: int, hidden_channels: int, *, kernel_size: int, num_layers: int
    ) -> None:
        super().__init__()
        widths = [in_channels, *[hidden_channels] * num_layers]
        self.cells = nn.ModuleList(
            ConvLSTMCell(below, width, kernel_size=kernel_size, bias=True)
            for below, width in pairwise(widths)
        )

    def forward(self, steps: Tensor, constant: Tensor | None) -> Tensor:
        memories: list[Memory | None] = [None] * len(self.cells)
        for step in steps.unbind(dim=1):
            x = step if constant is None else torch.cat([step, constant], dim=1)
            for index, cell in enumerate(self.cells):
                x, memories[index] = cell(x, memories[index])
        return x
