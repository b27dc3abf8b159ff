"""VMRNN: recurrent nets whose gate is computed by selective scans."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import RecurrentModel
from openstl_ext.layers.patches import PatchEmbedding, PatchExpanding, PatchInflation, PatchMerging
from openstl_ext.layers.vmrnn_cell import Memory, VMRNNCell
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count, DropProb


@MODELS.register_module()
class VMRNNB(nn.Module):
    """VMRNN-B: embed patches, apply cells of one resolution, decode the next frame.

    The output passes a sigmoid, so data must lie in [0, 1] and must not be standardised.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token; a multiple of 16 for patches of 4 and more.
        depths: Blocks of each cell, lowest first. TaxiBJ has (12,), KTH (6,).
        patch_size: Side p of a patch, in pixels.
        drop_path_prob: Probability to skip a block for a sample, in training, the same for all.
        dropout_prob: Dropout of each scan's output (attn_drop_rate upstream).
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p.
        - returns: the next frame (B, C, H, W) in [0, 1], and one memory per cell.

    Raises:
        ShapeError: If height or width is not a multiple of the patch.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py (one cell) and Moving_MNIST_VMRNN/VMRNN_B.py (several).

    Deviations:
        Parameters that upstream creates and never uses do not exist here: there are 2,218,114
        instead of 2,579,970 in the TaxiBJ setting. Frames can have any size and need not be square.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: Count,
        channels: Count = 128,
        depths: Sequence[Count] = (12,),
        patch_size: Count = 4,
        drop_path_prob: DropProb = 0.1,
        dropout_prob: DropProb = 0.0,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
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
    """VMRNN-D: cells at several resolutions, in an encoder and a decoder.

    Each stage of the encoder is a cell and a halving of the map, each stage of the decoder a cell
    and a doubling; the width doubles as the map is halved. There are no skip connections. The
    output passes a sigmoid, so data must lie in [0, 1] and must not be standardised.

    Args:
        in_channels: Channels C of a frame.
        channels: Width d of a token at the finest map; a multiple of 16 for patches of 4 and more.
        depths_down: Blocks of each cell of the encoder, in the order they run, finest map first.
        depths_up: Blocks of each cell of the decoder, in the order they run, **coarsest map
            first**. Upstream writes this list in reverse: its "6,2" is (2, 6) here.
        patch_size: Side p of a patch, in pixels.
        drop_path_prob: Probability to skip a block for a sample, in training, at the coarsest map;
            it is 0 at the finest map and linear between, in encoder and decoder.
        scan_backend: Backend of the selective scan; None for the fastest available.

    Shape:
        - frame: (B, C, H, W), H and W multiples of p * 2 ** n with n stages.
        - returns: the next frame (B, C, H, W) in [0, 1], and one memory per cell.

    Raises:
        ConfigError: If encoder and decoder have different numbers of stages.
        ShapeError: If height or width of a frame is not such a multiple.

    Source:
        Tang et al., VMRNN (arXiv:2403.16536); yyyujintang/VMRNN-PyTorch@8e6cfb7,
        openstl/modules/VMRNN_modules.py and Moving_MNIST_VMRNN/VMRNN_D.py.

    Deviations:
        Parameters that upstream creates and never uses, such as a second patch embedding, do not
        exist here. Upstream ignores its configured drop rates in this net and always uses 0.1,
        which is the default here. Frames can have any size and need not be square.
    """

    interface = RecurrentModel

    def __init__(
        self,
        *,
        in_channels: Count,
        channels: Count = 128,
        depths_down: Sequence[Count] = (2, 6),
        depths_up: Sequence[Count] = (2, 6),
        patch_size: Count = 2,
        drop_path_prob: DropProb = 0.1,
        scan_backend: str | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        check_depths("depths_down", depths_down)
        check_depths("depths_up", depths_up)
        stages = len(depths_down)
        if len(depths_up) != stages:
            raise ConfigError(
                "VMRNND needs as many stages in depths_up as in depths_down, but depths_down has "
                f"{stages} stages and depths_up {len(depths_up)}"
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
    """Return drop-path probabilities that rise linearly from 0 over all blocks, per stage.

    Args:
        last: Probability of the last block.
        depths: Number of blocks of each stage.
    """
    total = sum(depths)
    probs = [last * block / max(total - 1, 1) for block in range(total)]
    return [probs[start:stop] for start, stop in pairwise(accumulate(depths, initial=0))]


def check_depths(name: str, depths: Sequence[int]) -> None:
    """Raise an error if there is a cell without blocks.

    Raises:
        ConfigError: If there is no cell, or a cell has no block.
    """
    if isinstance(depths, int):
        raise ConfigError(f"{name} must have one number per cell: write [{depths}], not {depths}")
    if not depths or min(depths) < 1:
        raise ConfigError(f"{name} needs at least one cell of at least one block, got {depths!r}")
