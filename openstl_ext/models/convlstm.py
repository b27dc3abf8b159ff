"""Stacked ConvLSTM that predicts the next frame."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from openstl_ext.interfaces import RecurrentModel
from openstl_ext.layers.convlstm import ConvLSTMCell, Memory, Output
from openstl_ext.layers.patches import fold_patches, unfold_patches
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class ConvLSTM(nn.Module):
    """Encode a frame as patches, apply a stack of ConvLSTM cells, decode the next frame.

    Predicts one step. The method selects the input of the next step.

    Args:
        in_channels: Channels C of a frame.
        hidden: Width of each cell, lowest first.
        kernel_size: Side of the recurrent convolutions, in patches, odd.
        patch_size: Side p of a patch, in pixels.
        cell: ``corrected``, or ``published_tables`` for the older cell of OpenSTL's published
            tables.
        layer_norm: Height and width of a frame in pixels, for a layer norm over channels and space
            after each convolution; None for no norm.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p.
        - returns: the next frame (B, C, H, W), and one memory per cell.

    Raises:
        ShapeError: If height or width is not a multiple of the patch.

    Source:
        Shi et al. (arXiv:1506.04214); chengtan9907/OpenSTL@c74deb5, models/convlstm_model.py.

    Deviations:
        Parameters that upstream creates and never uses do not exist here: there are 11.57 M
        instead of 14.98 M parameters in its TaxiBJ setting.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: Count,
        hidden: Sequence[Count] = (128, 128, 128, 128),
        kernel_size: Count = 5,
        patch_size: Count = 4,
        cell: Output = "corrected",
        layer_norm: Sequence[Count] | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.patch_size = in_channels, patch_size
        folded = in_channels * patch_size**2
        map_size = None if layer_norm is None else [side // patch_size for side in layer_norm]
        self.cells = nn.ModuleList(
            ConvLSTMCell(below, width, kernel_size=kernel_size, output=cell, map_size=map_size)
            for below, width in pairwise((folded, *hidden))
        )
        self.read = nn.Conv2d(hidden[-1], folded, kernel_size=1, bias=False)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "hidden": (8, 8), "kernel_size": 3, "patch_size": 4}

    def forward(self, frame: Tensor, state: list[Memory] | None) -> tuple[Tensor, list[Memory]]:
        x = fold_patches(frame, self.patch_size)
        memories: list[Memory] = []
        for index, cell in enumerate(self.cells):
            x, memory = cell(x, None if state is None else state[index])
            memories.append(memory)
        return unfold_patches(self.read(x), self.patch_size), memories
