"""Stacked ConvLSTM that predicts the next frame."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from openstl_ext.interfaces import RecurrentModel
from openstl_ext.layers.convlstm import ConvLSTMCell, Memory, Output
from openstl_ext.layers.patches import fold_patches, unfold_patches
from openstl_ext.registry import MODELS


@MODELS.register_module()
class ConvLSTM(nn.Module):
    """Fold a frame into patches, pass it up a stack of cells, read the next frame off the top.

    Knows one step; who feeds the next step is a method's business.

    Args:
        in_channels: Channels C of a frame.
        hidden: Width of each cell, lowest first.
        kernel_size: Side of the recurrent convolutions, in patches, odd.
        patch_size: Side p of a patch, in pixels.
        cell: ``corrected``, or ``published_tables`` for the older cell that OpenSTL's published
            rows were made with.
        layer_norm: Height and width of a frame in pixels, to follow each convolution by a layer
            norm over channels and space; None for no norm.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p.
        - returns: the next frame (B, C, H, W), and one memory per cell.

    Raises:
        ShapeError: If patches do not tile the frame.

    Source:
        Shi et al. (arXiv:1506.04214); chengtan9907/OpenSTL@c74deb5, models/convlstm_model.py.

    Deviations:
        Parameters that upstream creates and never uses do not exist here: 11.57 M instead of
        14.98 M at its TaxiBJ setting.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: int,
        hidden: Sequence[int] = (128, 128, 128, 128),
        kernel_size: int = 5,
        patch_size: int = 4,
        cell: Output = "corrected",
        layer_norm: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
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
