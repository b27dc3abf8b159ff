"""VMRNN: recurrent nets whose gate is made of selective scans."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import RecurrentModel
from openstl_ext.layers.patches import PatchEmbedding, PatchExpanding, PatchInflation, PatchMerging
from openstl_ext.layers.vmrnn_cell import Memory, VMRNNCell
from openstl_ext.registry import MODELS


@MODELS.register_module()
class VMRNNB(nn.Module):
    """VMRNN-B: embed patches, pass them through cells of one resolution, say the next frame.

    The answer has passed a sigmoid, so data must lie in [0, 1] and must not be standardised.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token; a multiple of 16 for patches of 4 and more.
        depths: Blocks of each cell, lowest first. TaxiBJ has (12,), KTH (6,).
        patch_size: Side p of a patch, in pixels.
        drop_path_prob: Probability to skip a block for a sample, in training, the same for all.
        dropout_prob: Dropout of each scan's output (attn_drop_rate upstream).
        scan_backend: Which selective scan runs; None for the best there is.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p.
        - returns: the next frame (B, C, H, W) in [0, 1], and one memory per cell.

    Raises:
        ShapeError: If patches do not tile the frame.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py (one cell) and Moving_MNIST_VMRNN/VMRNN_B.py (several).

    Deviations:
        Parameters that upstream creates and never uses do not exist here: 2,218,114 instead of
        2,579,970 at the TaxiBJ setting. Frames need not be square, nor of one fixed size.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: int,
        channels: int = 128,
        depths: Sequence[int] = (12,),
        patch_size: int = 4,
        drop_path_prob: float = 0.1,
        dropout_prob: float = 0.0,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        check_depths("depths", depths)
        self.embed = PatchEmbedding(in_channels, channels, patch_size=patch_size)
        self.cells = nn.ModuleList(
            VMRNNCell(
                channels,
                drop_path_probs=[drop_path_prob] * depth,
                dropout_prob=dropout_prob,
                scan_backend=scan_backend,
            )
            for depth in depths
        )
        self.inflate = PatchInflation(channels, in_channels, patch_size=patch_size)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {
            "in_channels": 1,
            "channels": 16,
            "depths": (1,),
            "patch_size": 4,
            "drop_path_prob": 0.0,
        }

    def forward(self, frame: Tensor, state: list[Memory] | None) -> tuple[Tensor, list[Memory]]:
        x = self.embed(frame)
        memories: list[Memory] = []
        for index, cell in enumerate(self.cells):
            x, memory = cell(x, None if state is None else state[index])
            memories.append(memory)
        return self.inflate(x).sigmoid(), memories


@MODELS.register_module()
class VMRNND(nn.Module):
    """VMRNN-D: cells on the way down to coarser maps and on the way up again.

    Each stage on the way down is a cell and a halving, each on the way up a cell and a doubling;
    width doubles as the map halves. There are no skip connections. The answer has passed a
    sigmoid, so data must lie in [0, 1] and must not be standardised.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token at the finest map; a multiple of 16 for patches of 4 and more.
        depths_down: Blocks of each cell on the way down, in the order they run, finest map first.
        depths_up: Blocks of each cell on the way up, in the order they run, **coarsest map first**.
            Upstream writes this list the other way round: its "6,2" is (2, 6) here.
        patch_size: Side p of a patch, in pixels.
        drop_path_prob: Probability to skip a block for a sample, in training: it rises from 0 at
            the finest map to this at the coarsest, in both directions.
        scan_backend: Which selective scan runs; None for the best there is.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p * 2 ** n with n stages.
        - returns: the next frame (B, C, H, W) in [0, 1], and one memory per cell.

    Raises:
        ConfigError: If the two ways have different numbers of stages.
        ShapeError: If height or width of a frame is no such multiple.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py and Moving_MNIST_VMRNN/VMRNN_D.py.

    Deviations:
        Parameters that upstream creates and never uses do not exist here, a second patch embedding
        among them. Upstream ignores its configured drop rates here and always takes 0.1, which is
        our default. Frames need not be square, nor of one fixed size.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: int,
        channels: int = 128,
        depths_down: Sequence[int] = (2, 6),
        depths_up: Sequence[int] = (2, 6),
        patch_size: int = 2,
        drop_path_prob: float = 0.1,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        check_depths("depths_down", depths_down)
        check_depths("depths_up", depths_up)
        stages = len(depths_down)
        if len(depths_up) != stages:
            raise ConfigError(
                f"VMRNND goes up as often as down, but depths_down has {stages} stages and "
                f"depths_up {len(depths_up)}"
            )
        self.embed = PatchEmbedding(
            in_channels, channels, patch_size=patch_size, multiple=patch_size * 2**stages
        )
        down = [channels * 2**stage for stage in range(stages)]
        up = [2 * width for width in reversed(down)]
        ramp_down = drop_path_ramp(drop_path_prob, depths_down)
        ramp_up = drop_path_ramp(drop_path_prob, depths_up[::-1])[::-1]
        cells = [
            VMRNNCell(width, drop_path_probs=probs, scan_backend=scan_backend)
            for width, probs in zip(down + up, ramp_down + ramp_up, strict=True)
        ]
        self.down_cells = nn.ModuleList(cells[:stages])
        self.merge = nn.ModuleList(PatchMerging(width) for width in down)
        self.up_cells = nn.ModuleList(cells[stages:])
        self.expand = nn.ModuleList(PatchExpanding(width) for width in up)
        self.inflate = PatchInflation(channels, in_channels, patch_size=patch_size)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {
            "in_channels": 1,
            "channels": 16,
            "depths_down": (1,),
            "depths_up": (1,),
            "patch_size": 4,
            "drop_path_prob": 0.0,
        }

    def forward(self, frame: Tensor, state: list[Memory] | None) -> tuple[Tensor, list[Memory]]:
        cells = [*self.down_cells, *self.up_cells]
        resample = [*self.merge, *self.expand]
        x = self.embed(frame)
        memories: list[Memory] = []
        for index, (cell, resize) in enumerate(zip(cells, resample, strict=True)):
            x, memory = cell(x, None if state is None else state[index])
            memories.append(memory)
            x = resize(x)
        return self.inflate(x).sigmoid(), memories


def drop_path_ramp(last: float, depths: Sequence[int]) -> list[list[float]]:
    """Drop-path probabilities that rise evenly from 0 over all blocks, cut into stages.

    Args:
        last: Probability of the last block.
        depths: Blocks of each stage.
    """
    total = sum(depths)
    probs = [last * block / max(total - 1, 1) for block in range(total)]
    return [probs[start:stop] for start, stop in pairwise(accumulate(depths, initial=0))]


def check_depths(name: str, depths: Sequence[int]) -> None:
    """Refuse cells without blocks.

    Raises:
        ConfigError: If there is no cell, or one has no block.
    """
    if isinstance(depths, int):
        raise ConfigError(f"{name} is a list, one number a cell: write [{depths}], not {depths}")
    if not depths or min(depths) < 1:
        raise ConfigError(f"{name} names at least one cell of at least one block, not {depths!r}")
