"""One map read off many channels."""

from torch import nn


class PixelHead(nn.Sequential):
    """A 3x3 convolution, a rectifier, and a number for each pixel.

    Args:
        in_channels: Width of the input.
        hidden_channels: Width between.

    Shape:
        - input: (B, C, H, W); output: (B, 1, H, W).

    Source:
        GMoncrieff/spatio-temporal@d765a15, src/models/spatiotemporal_predictor.py.
    """

    def __init__(self, in_channels: int, hidden_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, hidden_channels, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, 1, kernel_size=1),
        )
