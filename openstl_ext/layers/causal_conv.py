"""A depthwise convolution over time that never looks ahead."""

from torch import Tensor, nn


class CausalDepthwiseConv(nn.Module):
    """Mix each channel with its own recent past.

    Args:
        channels: Number of channels I.
        kernel_size: How many time steps are mixed, the present one included.
        bias: Whether to add one.

    Shape:
        - input, output: (B, I, L).
    """

    def __init__(self, channels: int, *, kernel_size: int, bias: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            channels,
            channels,
            kernel_size,
            padding=kernel_size - 1,
            groups=channels,
            bias=bias,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)[..., : x.shape[-1]]  # what is padded behind has seen the future
