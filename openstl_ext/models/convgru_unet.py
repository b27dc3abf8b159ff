"""U-Net with a convolutional GRU at every level."""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor, nn

from openstl_ext.interfaces import DenseModel
from openstl_ext.layers.input_checks import check_frames
from openstl_ext.layers.sequence_encoder import SequenceEncoder
from openstl_ext.layers.sequence_rnn import SequenceConvGRU
from openstl_ext.layers.unet import UNetDecoder
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class ConvGRUUNet(nn.Module):
    """Encode each frame, run a ConvGRU over the maps of each level, decode the last hidden states.

    The hidden states are the skips, so every level of the decoder depends on all frames.

    Args:
        in_channels: Channels C of a frame.
        num_classes: Number K of logits per pixel; 1 for two classes.
        widths: Width of each level, finest first.
        norm_over: Frames over which the encoder's batch norms average in training: those of one
            time ``step``, as in upstream's loop, or those of the ``sequence``.
        recompute: Whether the encoder computes its activations again in the backward pass instead
            of storing them.

    Shape:
        - frames: (B, T, C, H, W), any T, H and W at least 2 ** n with n + 1 levels.
        - returns: logits (B, K, H, W).

    Raises:
        ShapeError: If the frames are too small or have another number of channels.

    Source:
        xian1234/ST-Mamba@9dae127, models/convgru_unet.py (SpatioTemporalUNet in its first
        version); cells after Ballas et al. (arXiv:1511.06432).
    """

    interface = DenseModel

    def __init__(
        self,
        *,
        in_channels: Count,
        num_classes: Count = 1,
        widths: Sequence[Count] = (64, 128, 256, 512),
        norm_over: Literal["step", "sequence"] = "step",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.encoder = SequenceEncoder(
            in_channels, widths=widths, norm_over=norm_over, recompute=recompute
        )
        self.memories = nn.ModuleList(SequenceConvGRU(width) for width in widths)
        self.decoder = UNetDecoder(widths, num_classes=num_classes)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "widths": (4, 8)}

    def forward(self, frames: Tensor) -> Tensor:
        side = 2 ** (len(self.memories) - 1)
        check_frames(type(self).__name__, frames, channels=self.in_channels, least_side=side)
        maps = self.encoder(frames)
        last = [memory(level) for memory, level in zip(self.memories, maps, strict=True)]
        return self.decoder(last)
