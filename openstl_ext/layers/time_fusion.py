"""One vector from a sequence of them."""

from typing import Literal

from torch import Tensor, nn

from openstl_ext.errors import ConfigError

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
