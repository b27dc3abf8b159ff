"""U-Net with a ConvLSTM at every level."""

from collections.abc import Sequence
from typing import Any, Literal

from einops import rearrange
from torch import Tensor, nn

from openstl_ext.interfaces import DenseModel
from openstl_ext.layers.input_checks import check_frames
from openstl_ext.layers.sequence_encoder import SequenceEncoder
from openstl_ext.layers.sequence_rnn import SequenceConvLSTM
from openstl_ext.layers.transformer_block import TransformerBlock
from openstl_ext.layers.unet import UNetDecoder
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count, DropProb


@MODELS.register_module()
class ConvLSTMUNet(nn.Module):
    """Encode each frame, run a ConvLSTM over the maps of each level, decode the last hidden states.

    With ``num_heads``, a transformer block is applied to the pixels of the deepest map before the
    decoder (ConvLSTMViT).

    Args:
        in_channels: Channels C of a frame.
        num_classes: Number K of logits per pixel; 1 for two classes.
        widths: Width of each level, finest first.
        num_heads: Heads of the transformer block, 8 in ConvLSTMViT; None for no block.
        mlp_channels: Hidden width of the MLP of the transformer block.
        dropout_prob: Dropout of the transformer block.
        norm_over: Frames over which the encoder's batch norms average in training: those of one
            time ``step``, as in upstream's loop, or those of the ``sequence``.
        recompute: Whether the encoder computes its activations again in the backward pass instead
            of storing them.

    Shape:
        - frames: (B, T, C, H, W), any T, H and W at least 2 ** n with n + 1 levels.
        - returns: logits (B, K, H, W).

    Raises:
        ConfigError: If the heads do not divide the last width.
        ShapeError: If the frames are too small or have another number of channels.

    Source:
        xian1234/ST-Mamba@9dae127, models/convlstm_unet.py and models/convlstm_vit.py; cells after
        Shi et al. (arXiv:1506.04214).
    """

    interface = DenseModel

    def __init__(
        self,
        *,
        in_channels: Count,
        num_classes: Count = 1,
        widths: Sequence[Count] = (64, 128, 256, 512),
        num_heads: Count | None = None,
        mlp_channels: Count = 2048,
        dropout_prob: DropProb = 0.1,
        norm_over: Literal["step", "sequence"] = "step",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.encoder = SequenceEncoder(
            in_channels, widths=widths, norm_over=norm_over, recompute=recompute
        )
        self.memories = nn.ModuleList(SequenceConvLSTM(width) for width in widths)
        self.attention: TransformerBlock | None = None
        if num_heads is not None:
            self.attention = TransformerBlock(
                widths[-1],
                num_heads=num_heads,
                mlp_channels=mlp_channels,
                dropout_prob=dropout_prob,
            )
        self.decoder = UNetDecoder(widths, num_classes=num_classes)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {
            "in_channels": 1,
            "widths": (4, 8),
            "num_heads": 2,
            "mlp_channels": 16,
            "dropout_prob": 0.0,
        }

    def forward(self, frames: Tensor) -> Tensor:
        side = 2 ** (len(self.memories) - 1)
        check_frames(type(self).__name__, frames, channels=self.in_channels, least_side=side)
        maps = self.encoder(frames)
        last = [memory(level) for memory, level in zip(self.memories, maps, strict=True)]
        if self.attention is not None:
            tokens = self.attention(rearrange(last[-1], "b d h w -> b (h w) d"))
            last[-1] = rearrange(tokens, "b (h w) d -> b d h w", h=last[-1].shape[2])
        return self.decoder(last)
