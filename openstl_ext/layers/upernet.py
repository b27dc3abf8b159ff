"""UPerNet: segmentation head on four maps of an encoder."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POOLS = (1, 2, 3, 6)
"""Side of the pooled maps of the pyramid."""


class ConvNormReLU(nn.Sequential):
    """Convolution with bias, batch norm and ReLU.

    Args:
        in_channels: Width of the input.
        out_channels: Width of the output.
        kernel_size: Side of the kernel.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class PlainPyramid(nn.Module):
    """Resample the maps of a plain transformer to 4, 2, 1 and 0.5 times their size.

    Args:
        channels: Width of all maps.

    Shape:
        - maps: four of (B, D, h, w); returns: four of (B, D, s * h, s * w).

    Source:
        Li et al., plain backbones (arXiv:2203.16527), as in PANGAEA (arXiv:2412.04204).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.upsample_4 = nn.Sequential(
            nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2),
            nn.BatchNorm2d(channels),
            nn.GELU(),
            nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2),
        )
        self.upsample_2 = nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        first, second, third, fourth = maps
        return [self.upsample_4(first), self.upsample_2(second), third, F.max_pool2d(fourth, 2)]


class UPerHead(nn.Module):
    """Logits of each class from four maps, the first one the largest.

    Args:
        in_channels: Width of the maps.
        num_classes: Number of logits.
        channels: Width of the head.
        dropout_prob: Dropout of whole channels before the last layer.

    Shape:
        - maps: four of (B, D, h, w); returns: (B, K, h, w) of the first map.

    Source:
        Xiao et al., UPerNet (arXiv:1807.10221), with the settings of PANGAEA (arXiv:2412.04204).

    Deviations:
        Batch norm in place of synchronised batch norm, which needs a GPU.
    """

    def __init__(
        self, in_channels: int, num_classes: int, *, channels: int = 512, dropout_prob: float = 0.1
    ) -> None:
        super().__init__()
        self.pooled = nn.ModuleList(ConvNormReLU(in_channels, channels, 1) for _ in POOLS)
        self.bottleneck = ConvNormReLU(in_channels + len(POOLS) * channels, channels, 3)
        self.laterals = nn.ModuleList(ConvNormReLU(in_channels, channels, 1) for _ in range(3))
        self.outputs = nn.ModuleList(ConvNormReLU(channels, channels, 3) for _ in range(3))
        self.fuse = ConvNormReLU(4 * channels, channels, 3)
        self.dropout = nn.Dropout2d(dropout_prob)
        self.classify = nn.Conv2d(channels, num_classes, kernel_size=1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        levels = [lateral(x) for lateral, x in zip(self.laterals, maps[:3], strict=True)]
        levels.append(self._global(maps[3]))
        for i in (2, 1, 0):
            levels[i] = levels[i] + resampled(levels[i + 1], levels[i])
        fine = [conv(x) for conv, x in zip(self.outputs, levels[:3], strict=True)]
        fused = [resampled(x, fine[0]) for x in (*fine, levels[3])]
        return self.classify(self.dropout(self.fuse(torch.cat(fused, dim=1))))

    def _global(self, x: Tensor) -> Tensor:
        """Add what is pooled over the whole map and its parts."""
        parts = [
            resampled(conv(F.adaptive_avg_pool2d(x, side)), x)
            for side, conv in zip(POOLS, self.pooled, strict=True)
        ]
        return self.bottleneck(torch.cat([x, *parts], dim=1))


def resampled(x: Tensor, like: Tensor) -> Tensor:
    """Resample a map bilinearly to the size of another one."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
