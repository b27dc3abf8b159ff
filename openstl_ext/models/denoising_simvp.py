"""SimVP as a denoiser: its encoder, translator and decoder on noisy frames and their past."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import TOY_SHAPE, ConditionalDenoiser
from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.scaling_conv import NUM_GROUPS
from openstl_ext.layers.time_embedding import Modulation, TimeEmbedding
from openstl_ext.models.denoising_unet import check_shapes
from openstl_ext.models.simvp import Decoder, Encoder, join_time, split_time
from openstl_ext.registry import MODELS, TRANSLATORS
from openstl_ext.value_types import Count, DropProb, Positive


@MODELS.register_module()
class DenoisingSimVP(nn.Module):
    """Encode past and noisy frames one by one, translate them together, decode the noisy ones.

    The embedded time modulates the codes before and after the translator.

    Args:
        in_channels: Channels C of a frame.
        num_inputs: Number T of past frames.
        num_targets: Number T' of future frames.
        condition_channels: Channels D of the past, frames and covariates together; None for C.
        spatial_channels: Width of encoders and decoder; even.
        temporal_channels: Width of the translator.
        num_spatial_blocks: Layers of each encoder and of the decoder; every second one halves, or
            doubles, height and width.
        num_temporal_blocks: Blocks of the translator, at least two.
        translator: Name of the translator, from ``models/translators``.
        mlp_ratio: Width of the translator's feed-forward layers as a multiple of their input's.
        drop_path: Drop-path probability of the translator's last block.

    Shape:
        - noisy: (B, T', C, H, W), H and W multiples of 2 ** (num_spatial_blocks // 2).
        - time: (B,); condition: (B, T, D, H, W); returns: (B, T', C, H, W).

    Raises:
        ConfigError: If the width is odd or there are too few blocks.
        ShapeError: If frames or past have another shape.

    Source:
        Tan et al., SimVPv2 (arXiv:2211.12509), for the parts; the combination is ours.
    """

    interface = ConditionalDenoiser
    flag_arguments = {"frames_in": "num_inputs", "frames_out": "num_targets"}

    def __init__(
        self,
        *,
        in_channels: Count,
        num_inputs: Count,
        num_targets: Count,
        condition_channels: Count | None = None,
        spatial_channels: Count = 16,
        temporal_channels: Count = 64,
        num_spatial_blocks: Count = 2,
        num_temporal_blocks: Count = 2,
        translator: str = "gsta",
        mlp_ratio: Positive = 4.0,
        drop_path: DropProb = 0.0,
    ) -> None:
        super().__init__()
        if spatial_channels % NUM_GROUPS or num_temporal_blocks < 2:
            raise ConfigError(
                f"DenoisingSimVP needs an even spatial_channels and num_temporal_blocks of at "
                f"least 2, got {spatial_channels} and {num_temporal_blocks}"
            )
        self.in_channels, self.num_inputs, self.num_targets = in_channels, num_inputs, num_targets
        self.condition_channels = condition_channels or in_channels
        width, halving = spatial_channels, [bool(i % 2) for i in range(num_spatial_blocks)]
        self.multiple = 2 ** sum(halving)
        self.past_encoder = Encoder(self.condition_channels, width, halving, kernel_size=3)
        self.encoder = Encoder(in_channels, width, halving, kernel_size=3)
        channels, embedding = (num_inputs + num_targets) * width, 4 * width
        self.embed = TimeEmbedding(embedding)
        self.before = Modulation(embedding, channels)
        self.translator = TRANSLATORS.build(
            {
                "type": translator,
                "channels": channels,
                "hidden_channels": temporal_channels,
                "num_blocks": num_temporal_blocks,
                "mlp_ratio": mlp_ratio,
                "drop_path": drop_path,
            }
        )
        self.after = Modulation(embedding, channels)
        self.select = nn.Conv2d(channels, num_targets * width, 1)
        self.decoder = Decoder(width, in_channels, halving[::-1], kernel_size=3)
        nn.init.zeros_(self.decoder.readout.weight)  # the first output is 0, as its target's mean

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        length, channels = TOY_SHAPE[:2]
        return {
            "in_channels": channels,
            "num_inputs": length,
            "num_targets": length,
            "spatial_channels": 8,
            "temporal_channels": 16,
            "mlp_ratio": 2.0,
        }

    def forward(self, noisy: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        check_shapes(self, noisy, condition, multiple=self.multiple)
        embedding = self.embed(time)
        past, _ = self.past_encoder(_images(condition))
        code, skip = self.encoder(_images(noisy))
        joined = [join_time(past, self.num_inputs), join_time(code, self.num_targets)]
        x = self.before(torch.cat(joined, dim=1), embedding)
        x = self.select(self.after(self.translator(x), embedding))
        return self.decoder(split_time(x, self.num_targets), skip).view_as(noisy)


def _images(frames: Tensor) -> Tensor:
    """Fold time into the batch, in the layout that is fast here."""
    x = frames.flatten(0, 1)
    return x.contiguous(memory_format=torch.channels_last) if prefers_fast_layout(x) else x
