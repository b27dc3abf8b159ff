"""Fusion over time and decoders of ST-Mamba."""

from typing import Literal

from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError

Fused = Literal["last", "mean"]
FUSED: tuple[str, ...] = ("last", "mean")


class TimeFusion(nn.Module):
    """Apply a temporal module to a sequence and reduce its outputs to one vector.

    Args:
        reader: Maps tokens (B, T, d) to tokens (B, T, V), as `MambaBlock` does, or to a pair of
            tokens and state, as PyTorch's recurrent layers do.
        fused: ``last`` output token, or ``mean`` over time.

    Shape:
        - tokens: (B, T, d); returns: (B, V).

    Raises:
        ConfigError: If ``fused`` is unknown.
    """

    def __init__(self, reader: nn.Module, *, fused: Fused = "last") -> None:
        super().__init__()
        if fused not in FUSED:
            raise ConfigError(f"fused must be one of {', '.join(FUSED)}, got {fused!r}")
        self.reader = reader
        self.fused = fused

    def forward(self, tokens: Tensor) -> Tensor:
        outputs = self.reader(tokens)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        return outputs[:, -1] if self.fused == "last" else outputs.mean(dim=1)


class LinearMap(nn.Module):
    """Linear layer from a vector to a map of fixed size, with weights for each pixel.

    Args:
        in_channels: Width of the vector.
        out_channels: Width D of the map.
        side: Height and width of the map.

    Shape:
        - vector: (B, V); deepest: (B, D, h, w), only its size is used; returns: (B, D, h, w).

    Raises:
        ShapeError: If the deepest map has another size.
    """

    def __init__(self, in_channels: int, out_channels: int, *, side: int) -> None:
        super().__init__()
        self.shape = (out_channels, side, side)
        self.project = nn.Linear(in_channels, out_channels * side**2)

    def forward(self, vector: Tensor, deepest: Tensor) -> Tensor:
        if deepest.shape[1:] != self.shape:
            raise ShapeError(
                f"LinearMap was built for maps {self.shape}, got {tuple(deepest.shape[1:])}"
            )
        return self.project(vector).unflatten(1, self.shape)


class BroadcastMap(nn.Module):
    """Linear layer from a vector to a map of any size with the same values at every pixel.

    Only the skip connections carry spatial information.

    Args:
        in_channels: Width of the vector.
        out_channels: Width D of the map.

    Shape:
        - vector: (B, V); deepest: (B, D, h, w), only its size is used; returns: (B, D, h, w).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(in_channels, out_channels)

    def forward(self, vector: Tensor, deepest: Tensor) -> Tensor:
        return self.project(vector)[..., None, None].expand(-1, -1, *deepest.shape[2:])


class ConvMap(nn.Module):
    """1x1 convolution of the deepest map concatenated with the vector at every pixel, of any size.

    It is computed as the sum of two products; the one of the vector is the same at every pixel.

    Args:
        in_channels: Width of the vector.
        out_channels: Width D of the map.

    Shape:
        - vector: (B, V); deepest: (B, D, h, w); returns: (B, D, h, w).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(in_channels, out_channels)
        self.mix = nn.Conv2d(out_channels, out_channels, kernel_size=1, bias=False)

    def forward(self, vector: Tensor, deepest: Tensor) -> Tensor:
        return self.mix(deepest) + self.project(vector)[..., None, None]


def vector_to_map(
    kind: str, in_channels: int, out_channels: int, *, side: int
) -> LinearMap | BroadcastMap | ConvMap:
    """Build the decoder from a vector to a map that a config names.

    Args:
        kind: ``linear``, ``broadcast`` or ``conv``.
        in_channels: Width of the vector.
        out_channels: Width of the map.
        side: Height and width of the map, for ``linear``.

    Raises:
        ConfigError: If ``kind`` is unknown.
    """
    if kind == "linear":
        return LinearMap(in_channels, out_channels, side=side)
    if kind == "broadcast":
        return BroadcastMap(in_channels, out_channels)
    if kind == "conv":
        return ConvMap(in_channels, out_channels)
    raise ConfigError(f"expand must be one of linear, broadcast, conv, got {kind!r}")
