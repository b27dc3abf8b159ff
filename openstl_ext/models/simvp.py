"""SimVP: a convolutional net from all past frames to all future frames."""

from collections.abc import Sequence
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TOY_SHAPE, FrameModel
from openstl_ext.layers.memory_format import prefers_fast_layout
from openstl_ext.layers.scaling_conv import NUM_GROUPS, ScalingConv
from openstl_ext.registry import MODELS, TRANSLATORS
from openstl_ext.value_types import Count, DropProb, Positive


@MODELS.register_module()
class SimVP(nn.Module):
    """Encode each frame, apply a translator to all frames together, decode each frame.

    Predicts as many frames as there are in the input; for other horizons a method chains or cuts
    the output.

    Args:
        in_shape: Frames T, channels C, height H and width W of the input.
        spatial_channels: Width of the encoder and the decoder (hid_S upstream); even.
        temporal_channels: Width of the translator (hid_T upstream).
        num_spatial_blocks: Layers of the encoder, and of the decoder (N_S upstream); every second
            one halves, or doubles, height and width.
        num_temporal_blocks: Blocks of the translator (N_T upstream), at least two.
        translator: Name of the translator, which mixes space and time; from
            ``models/translators``.
        mlp_ratio: Width of the translator's feed-forward layers as a multiple of their input's.
        dropout: Share of values dropped in the feed-forward layers.
        drop_path: Drop-path probability of the translator's last block; 0.01 at its first.
        encoder_kernel_size: Side of the encoder's kernels, in pixels; odd.
        decoder_kernel_size: Side of the decoder's kernels, in pixels; odd.
        out_channels: Channels of a forecast frame; None for C.

    Shape:
        - frames: (B, T, C, H, W), as in ``in_shape``; H and W must be multiples of
          2 ** (num_spatial_blocks // 2).
        - returns: (B, T, out_channels, H, W).

    Raises:
        ConfigError: If no net can be built from the arguments.
        ShapeError: If the shape of the frames is not ``in_shape``.

    Source:
        Gao et al. (arXiv:2206.05099), Tan et al. (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5,
        models/simvp_model.py; out_channels from CCU-LANL-AIML/simvp_minimal@be7db3d.

    Deviations:
        Upstream builds one layer less for an odd N_S, without a warning. This net builds N_S
        layers, and the last one of the encoder keeps the size; ``interop`` builds the net that
        upstream would.
    """

    interface = FrameModel
    flag_arguments = {"frames_in": "in_shape.0", "size": "in_shape.2 in_shape.3"}

    def __init__(
        self,
        *,
        in_shape: Sequence[Count],
        spatial_channels: Count = 16,
        temporal_channels: Count = 256,
        num_spatial_blocks: Count = 4,
        num_temporal_blocks: Count = 4,
        translator: str = "gsta",
        mlp_ratio: Positive = 8.0,
        dropout: DropProb = 0.0,
        drop_path: DropProb = 0.0,
        encoder_kernel_size: Count = 3,
        decoder_kernel_size: Count = 3,
        out_channels: Count | None = None,
    ) -> None:
        super().__init__()
        self.in_shape = tuple(in_shape)
        _check_arguments(
            self.in_shape, spatial_channels, num_spatial_blocks, num_temporal_blocks, mlp_ratio
        )
        length, in_channels, _, _ = self.in_shape
        halving = [bool(i % 2) for i in range(num_spatial_blocks)]
        width = spatial_channels
        self.encoder = Encoder(in_channels, width, halving, kernel_size=encoder_kernel_size)
        self.translator = TRANSLATORS.build(
            {
                "type": translator,
                "channels": length * width,
                "hidden_channels": temporal_channels,
                "num_blocks": num_temporal_blocks,
                "mlp_ratio": mlp_ratio,
                "dropout": dropout,
                "drop_path": drop_path,
            }
        )
        self.decoder = Decoder(
            width, out_channels or in_channels, halving[::-1], kernel_size=decoder_kernel_size
        )

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {
            "in_shape": TOY_SHAPE,
            "spatial_channels": 8,
            "temporal_channels": 16,
            "num_spatial_blocks": 2,
            "num_temporal_blocks": 2,
            "mlp_ratio": 2.0,
        }

    def forward(self, frames: Tensor) -> Tensor:
        if frames.ndim != 5 or tuple(frames.shape[1:]) != self.in_shape:
            raise ShapeError(
                f"SimVP was built for frames (B, T, C, H, W) = (B, {_sizes(self.in_shape)}), "
                f"got ({_sizes(frames.shape)}); set `in_shape` to the shape of the data"
            )
        length = frames.shape[1]
        x = frames.flatten(0, 1)
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        x, skip = self.encoder(x)
        x = split_time(self.translator(join_time(x, length)), length)
        return self.decoder(x, skip).unflatten(0, (-1, length))


class Encoder(nn.Module):
    """Encoder of a frame: convolutions, some of which halve the size.

    Args:
        in_channels: Channels of a frame.
        width: Channels of all layers.
        halving: For each layer, whether it halves the size.
        kernel_size: Side of the kernels, in pixels.

    Shape:
        - x: (N, C, H, W); returns: the code (N, width, h, w), and the output of the first layer as
          skip for the decoder (N, width, H, W).
    """

    def __init__(
        self, in_channels: int, width: int, halving: Sequence[bool], *, kernel_size: int
    ) -> None:
        super().__init__()
        channels = [in_channels, *[width] * (len(halving) - 1)]
        self.layers = nn.ModuleList(
            ScalingConv(c, width, kernel_size=kernel_size, scale="down" if halve else "same")
            for c, halve in zip(channels, halving, strict=True)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skip = x = self.layers[0](x)
        for layer in self.layers[1:]:
            x = layer(x)
        return x, skip


class Decoder(nn.Module):
    """Decoder of a frame: convolutions, some of which double the size; the last adds the skip.

    Args:
        width: Channels of all layers.
        out_channels: Channels of a frame.
        doubling: For each layer, whether it doubles the size.
        kernel_size: Side of the kernels, in pixels.

    Shape:
        - x: (N, width, h, w); skip: (N, width, H, W); returns: (N, C, H, W).
    """

    def __init__(
        self, width: int, out_channels: int, doubling: Sequence[bool], *, kernel_size: int
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            ScalingConv(width, width, kernel_size=kernel_size, scale="up" if double else "same")
            for double in doubling
        )
        self.readout = nn.Conv2d(width, out_channels, kernel_size=1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = layer(x)
        return self.readout(self.layers[-1](x + skip))


def join_time(x: Tensor, length: int) -> Tensor:
    """Fold time into channels, (B*T, C, H, W) -> (B, T*C, H, W), and keep the memory format."""
    if x.is_contiguous():
        return rearrange(x, "(b t) c h w -> b (t c) h w", t=length)
    return rearrange(x, "(b t) c h w -> b h w (t c)", t=length).permute(0, 3, 1, 2)


def split_time(x: Tensor, length: int) -> Tensor:
    """Fold time into the batch, (B, T*C, H, W) -> (B*T, C, H, W), and keep the memory format."""
    if x.is_contiguous():
        return rearrange(x, "b (t c) h w -> (b t) c h w", t=length)
    return rearrange(x, "b (t c) h w -> (b t) h w c", t=length).permute(0, 3, 1, 2)


def _sizes(shape: Sequence[int]) -> str:
    return ", ".join(str(int(size)) for size in shape)  # sizes are tensors while tracing


def _check_arguments(
    in_shape: tuple[int, ...],
    spatial_channels: int,
    num_spatial_blocks: int,
    num_temporal_blocks: int,
    mlp_ratio: float,
) -> None:
    """Validate the arguments of SimVP.

    Raises:
        ConfigError: If no net can be built from them.
    """
    if len(in_shape) != 4 or min(in_shape) < 1:
        raise ConfigError(f"in_shape of SimVP must be four counts (T, C, H, W), got {in_shape}")
    if spatial_channels % NUM_GROUPS or spatial_channels < 1:
        raise ConfigError(
            f"spatial_channels of SimVP must be a multiple of {NUM_GROUPS}, the groups of its "
            f"norms, got {spatial_channels}"
        )
    if num_spatial_blocks < 1 or num_temporal_blocks < 2:
        raise ConfigError(
            "SimVP needs at least 1 spatial and 2 temporal blocks, got "
            f"{num_spatial_blocks} and {num_temporal_blocks}"
        )
    if mlp_ratio <= 1:
        raise ConfigError(f"mlp_ratio of SimVP must be greater than 1, got {mlp_ratio}")
    multiple = 2 ** (num_spatial_blocks // 2)
    if any(side % multiple for side in in_shape[2:]):
        raise ConfigError(
            f"SimVP with {num_spatial_blocks} spatial blocks halves frames "
            f"{num_spatial_blocks // 2} times, so height and width must be multiples of "
            f"{multiple}; in_shape has {in_shape[2]} x {in_shape[3]}"
        )
