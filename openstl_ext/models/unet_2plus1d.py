"""U-Net with (2+1)D convolutions over space and time."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import DenseModel
from openstl_ext.layers.conv_2plus1d import Up2Plus1D, double_conv_2plus1d
from openstl_ext.layers.input_checks import check_frames
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count

Growth = Literal["published", "aligned"]
GROWTHS: tuple[str, ...] = ("published", "aligned")


@MODELS.register_module()
class UNet2Plus1D(nn.Module):
    """(2+1)D U-Net: convolve space and time at every level, average over time, predict classes.

    Time is pooled at the deep levels only. The same weights work for any number of frames that is
    large enough for the pools.

    Args:
        in_channels: Channels C of a frame.
        num_classes: Number K of logits per pixel; 1 for two classes.
        widths: Width of each level, finest first.
        time_strides: Stride in time of each pool, finest first; height and width are always halved.
        time_growth: ``published`` doubles time at each level of the decoder, even if the pool did
            not halve it, and crops both ends; the concatenated frames are then of different times.
            ``aligned`` upsamples time by the stride of the pool.

    Shape:
        - frames: (B, T, C, H, W), T at least the product of the strides, H and W at least 2 ** n
          with n pools.
        - returns: logits (B, K, H, W).

    Raises:
        ConfigError: If there is not one stride per pool, or ``time_growth`` is unknown.
        ShapeError: If the frames are too few or too small, or have another number of channels.

    Source:
        xian1234/ST-Mamba@9dae127, models/unet3d.py (UNet3D); convolutions after Tran et al.,
        R(2+1)D (arXiv:1711.11248).

    Deviations:
        Frames are (B, T, C, H, W); upstream has channels before time.
    """

    interface = DenseModel

    def __init__(
        self,
        *,
        in_channels: Count,
        num_classes: Count = 1,
        widths: Sequence[Count] = (32, 64, 128, 256, 512),
        time_strides: Sequence[Count] = (1, 1, 2, 2),
        time_growth: Growth = "published",
    ) -> None:
        super().__init__()
        if len(time_strides) != len(widths) - 1:
            raise ConfigError(
                f"UNet2Plus1D needs one time stride per pool; {len(widths)} widths need "
                f"{len(widths) - 1} strides, got {len(time_strides)}"
            )
        if time_growth not in GROWTHS:
            raise ConfigError(f"time_growth must be {' or '.join(GROWTHS)}, got {time_growth!r}")
        self.in_channels = in_channels
        self.time_strides = tuple(time_strides)
        self.inlet = double_conv_2plus1d(in_channels, widths[0])
        self.downs = nn.ModuleList(double_conv_2plus1d(*pair) for pair in pairwise(widths))
        self.ups = nn.ModuleList(
            Up2Plus1D(deep, fine, time_stride=2 if time_growth == "published" else stride)
            for (fine, deep), stride in reversed(
                list(zip(pairwise(widths), time_strides, strict=True))
            )
        )
        self.read = nn.Conv2d(widths[0], num_classes, kernel_size=1)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"in_channels": 1, "widths": (8, 8, 16), "time_strides": (1, 2)}

    def forward(self, frames: Tensor) -> Tensor:
        check_frames(
            type(self).__name__,
            frames,
            channels=self.in_channels,
            least_side=2 ** len(self.downs),
            least_length=prod(self.time_strides),
        )
        levels = [self.inlet(frames.transpose(1, 2))]
        for stride, conv in zip(self.time_strides, self.downs, strict=True):
            levels.append(conv(F.max_pool3d(levels[-1], (stride, 2, 2))))
        x = levels.pop()
        for up in self.ups:
            x = up(x, levels.pop())
        return self.read(x.mean(dim=2))
