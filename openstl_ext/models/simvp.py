"""SimVP: all past frames in, all future frames out, by convolutions alone."""

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


@MODELS.register_module()
class SimVP(nn.Module):
    """Encode each frame, translate all frames together, decode each frame.

    Says as many frames as it sees; a method chains or cuts blocks for other horizons.

    Args:
        in_shape: Frames T, channels C, height H and width W of what it sees.
        spatial_channels: Width of the encoder and the decoder (hid_S upstream); even.
        temporal_channels: Width of the translator (hid_T upstream).
        num_spatial_blocks: Layers of the encoder, and of the decoder (N_S upstream); every second
            one halves, or doubles, height and width.
        num_temporal_blocks: Blocks of the translator (N_T upstream), at least two.
        translator: Name of what mixes space and time, from ``models/translators``.
        mlp_ratio: Width of the translator's feed-forward layers as a multiple of their input's.
        dropout: Share of values dropped in the feed-forward layers.
        drop_path: Drop-path probability of the translator's last block; 0.01 at its first.
        encoder_kernel_size: Side of the encoder's kernels, in pixels; odd.
        decoder_kernel_size: Side of the decoder's kernels, in pixels; odd.
        out_channels: Channels of a forecast frame; as many as C unless given.

    Shape:
        - frames: (B, T, C, H, W), as in ``in_shape``; H and W must be multiples of
          2 ** (num_spatial_blocks // 2).
        - returns: (B, T, out_channels, H, W).

    Raises:
        ConfigError: If the arguments make no net.
        ShapeError: If frames are not shaped like ``in_shape``.

    Source:
        Gao et al. (arXiv:2206.05099), Tan et al. (arXiv:2211.12509); chengtan9907/OpenSTL@c74deb5,
        models/simvp_model.py; out_channels from CCU-LANL-AIML/simvp_minimal@be7db3d.

    Deviations:
        Upstream an odd N_S quietly makes one layer less. Here it makes the layers it says, the
        last one of the encoder keeping the size; ``interop`` builds what upstream would.
    """

    interface = FrameModel

    def __init__(
        self,
        *,
        in_shape: Sequence[int],
        spatial_channels: int = 16,
        temporal_channels: int = 256,
        num_spatial_blocks: int = 4,
        num_temporal_blocks: int = 4,
        translator: str = "gsta",
        mlp_ratio: float = 8.0,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        encoder_kernel_size: int = 3,
        decoder_kernel_size: int = 3,
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        self.in_shape = tuple(in_shape)
        _refuse_what_makes_no_net(
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
                f"SimVP was built for frames (B, T, C, H, W) = (B, {self._said(self.in_shape)}), "
                f"not ({self._said(frames.shape)}); set `in_shape` to what the data have"
            )
        length = frames.shape[1]
        x = frames.flatten(0, 1)
        if prefers_fast_layout(x):
            x = x.contiguous(memory_format=torch.channels_last)
        x, skip = self.encoder(x)
        x = split_time(self.translator(join_time(x, length)), length)
        return self.decoder(x, skip).unflatten(0, (-1, length))

    @staticmethod
    def _said(shape: Sequence[int]) -> str:
        return ", ".join(str(int(size)) for size in shape)  # tensors, where the net is traced


class Encoder(nn.Module):
    """Convolutions that halve a frame every now and then.

    Args:
        in_channels: Channels of a frame.
        width: Channels within.
        halving: Which layers halve the size.
        kernel_size: Side of the kernels, in pixels.

    Shape:
        - x: (N, C, H, W); returns: the code (N, width, h, w), and what the first layer says, for
          the decoder.
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
    """Convolutions that double a frame every now and then, the last of which also sees the skip.

    Args:
        width: Channels within.
        out_channels: Channels of a frame.
        doubling: Which layers double the size.
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
    """(B*T, C, H, W) -> (B, T*C, H, W), in the memory order that x has."""
    if x.is_contiguous():
        return rearrange(x, "(b t) c h w -> b (t c) h w", t=length)
    return rearrange(x, "(b t) c h w -> b h w (t c)", t=length).permute(0, 3, 1, 2)


def split_time(x: Tensor, length: int) -> Tensor:
    """(B, T*C, H, W) -> (B*T, C, H, W), in the memory order that x has."""
    if x.is_contiguous():
        return rearrange(x, "b (t c) h w -> (b t) c h w", t=length)
    return rearrange(x, "b (t c) h w -> (b t) h w c", t=length).permute(0, 3, 1, 2)


def _refuse_what_makes_no_net(
    in_shape: tuple[int, ...],
    spatial_channels: int,
    num_spatial_blocks: int,
    num_temporal_blocks: int,
    mlp_ratio: float,
) -> None:
    """Say which argument of SimVP cannot be.

    Raises:
        ConfigError: If one cannot.
    """
    if len(in_shape) != 4 or min(in_shape) < 1:
        raise ConfigError(f"SimVP's in_shape is (T, C, H, W), four counts, not {in_shape}")
    if spatial_channels % NUM_GROUPS or spatial_channels < 1:
        raise ConfigError(
            f"SimVP's spatial_channels are normalised in {NUM_GROUPS} groups, so "
            f"{spatial_channels} must be a multiple of {NUM_GROUPS}"
        )
    if num_spatial_blocks < 1 or num_temporal_blocks < 2:
        raise ConfigError(
            "SimVP needs at least 1 spatial and 2 temporal blocks, not "
            f"{num_spatial_blocks} and {num_temporal_blocks}"
        )
    if mlp_ratio <= 1:
        raise ConfigError(f"SimVP's mlp_ratio widens, so it is greater than 1, not {mlp_ratio}")
    multiple = 2 ** (num_spatial_blocks // 2)
    if any(side % multiple for side in in_shape[2:]):
        raise ConfigError(
            f"SimVP with {num_spatial_blocks} spatial blocks halves frames "
            f"{num_spatial_blocks // 2} times, so height and width must be multiples of "
            f"{multiple}; in_shape says {in_shape[2]} x {in_shape[3]}"
        )
