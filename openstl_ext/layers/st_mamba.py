"""Fusion over time and decoders of ST-Mamba."""

from typing import Literal

from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError

Fused = Literal["last", "mean"]
FUSED: tuple[str, ...] = ("last", "mean")


class TimeFusion(nn.Module):
    """Read a sequence with a temporal module, then keep its last word or the mean of its words.

    Args:
        reader: Maps tokens (B, T, d) to tokens (B, T, V), as `MambaBlock` does, or to such a pair
            of tokens and state as PyTorch's recurrent layers do.
        fused: The ``last`` token, or the ``mean`` over time.

    Shape:
        - tokens: (B, T, d); returns: (B, V).

    Raises:
        ConfigError: If there is no such way to fuse.
    """

    def __init__(self, reader: nn.Module, *, fused: Fused = "last") -> None:
        super().__init__()
        if fused not in FUSED:
            raise ConfigError(f"fused is one of {', '.join(FUSED)}, not {fused!r}")
        self.reader = reader
        self.fused = fused

    def forward(self, tokens: Tensor) -> Tensor:
        said = self.reader(tokens)
        said = said[0] if isinstance(said, tuple) else said
        return said[:, -1] if self.fused == "last" else said.mean(dim=1)


class LinearMap(nn.Module):
    """A weight for each place of the map: the vector says everything, and the size is fixed.

    Args:
        in_channels: Width of the vector.
        out_channels: Width D of the map.
        side: Height and width of the map.

    Shape:
        - vector: (B, V); deepest: (B, D, h, w), for its size; returns: (B, D, h, w).

    Raises:
        ShapeError: If the size is another.
    """

    def __init__(self, in_channels: int, out_channels: int, *, side: int) -> None:
        super().__init__()
        self.shape = (out_channels, side, side)
        self.project = nn.Linear(in_channels, out_channels * side**2)

    def forward(self, vector: Tensor, deepest: Tensor) -> Tensor:
        if deepest.shape[1:] != self.shape:
            raise ShapeError(
                f"a map of {self.shape} was to be made, not {tuple(deepest.shape[1:])}"
            )
        return self.project(vector).unflatten(1, self.shape)


class BroadcastMap(nn.Module):
    """The same at every place, of any size: where things are is left to the skips.

    Args:
        in_channels: Width of the vector.
        out_channels: Width D of the map.

    Shape:
        - vector: (B, V); deepest: (B, D, h, w), for its size; returns: (B, D, h, w).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = nn.Linear(in_channels, out_channels)

    def forward(self, vector: Tensor, deepest: Tensor) -> Tensor:
        return self.project(vector)[..., None, None].expand(-1, -1, *deepest.shape[2:])


class ConvMap(nn.Module):
    """A 1x1 convolution of the deepest map with the vector behind it at every place, of any size.

    It is computed as the sum of two products, one of them the same at every place.

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
    """One of the ways, by its name in a config.

    Args:
        kind: ``linear``, ``broadcast`` or ``conv``.
        in_channels: Width of the vector.
        out_channels: Width of the map.
        side: Height and width of the map, where they are fixed.

    Raises:
        ConfigError: If there is no such way.
    """
    if kind == "linear":
        return LinearMap(in_channels, out_channels, side=side)
    if kind == "broadcast":
        return BroadcastMap(in_channels, out_channels)
    if kind == "conv":
        return ConvMap(in_channels, out_channels)
    raise ConfigError(f"expand is one of linear, broadcast, conv, not {kind!r}")
