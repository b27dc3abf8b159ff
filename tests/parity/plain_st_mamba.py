"""Plain implementation of ST-Mamba from its equations, with the published names of weights."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512)


class DoubleConv(nn.Module):
    def __init__(self, below: int, above: int, between: int | None = None) -> None:
        super().__init__()
        widths = (below, between or above, above)
        self.double_conv = nn.Sequential(
            *(
                layer
                for here, there in pairwise(widths)
                for layer in (
                    nn.Conv2d(here, there, 3, padding=1, bias=False),
                    nn.BatchNorm2d(there),
                    nn.ReLU(),
                )
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, below: int, above: int) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(below, above))

    def forward(self, x: Tensor) -> Tensor:
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, deep: int, fine: int, between: int, grow: nn.Module | None = None) -> None:
        super().__init__()
        self.up = grow or nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = DoubleConv(deep + fine, fine, between)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        x = self.up(deep)
        (height, width), (rows, columns) = skip.shape[2:], x.shape[2:]
        framed = x.new_zeros(*x.shape[:2], height, width)
        top, left = (height - rows) // 2, (width - columns) // 2
        framed[:, :, top : top + rows, left : left + columns] = x
        return self.conv(torch.cat([skip, framed], dim=1))


class OutConv(nn.Module):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Mamba(nn.Module):
    """Selective scan as a recurrence over single tokens."""

    def __init__(self, width: int, states: int = 16) -> None:
        super().__init__()
        inner, rank = 2 * width, width // 16
        self.splits = (rank, states, states)
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, 4, padding=3, groups=inner)
        self.x_proj = nn.Linear(inner, sum(self.splits), bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        x, gate = self.in_proj(tokens).chunk(2, dim=-1)
        x = F.silu(self.conv1d(x.transpose(1, 2))[..., :length].transpose(1, 2))
        step, write, read = self.x_proj(x).split(self.splits, dim=-1)
        step = F.softplus(self.dt_proj(step))
        state = x.new_zeros(len(x), *self.A_log.shape)
        outputs = []
        for t in range(length):
            decay = (step[:, t, :, None] * -self.A_log.exp()).exp()
            state = decay * state + (step[:, t] * x[:, t])[..., None] * write[:, t, None]
            outputs.append((state * read[:, t, None]).sum(-1) + self.D * x[:, t])
        return self.out_proj(torch.stack(outputs, dim=1) * F.silu(gate))


class Fusion(nn.Module):
    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        self.temporal_model = (
            Mamba(width)
            if kind == "mamba"
            else nn.GRU(width, width, 2, batch_first=True, bidirectional=True)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        outputs = self.temporal_model(tokens)
        return (outputs[0] if isinstance(outputs, tuple) else outputs)[:, -1]


class SpatioTemporalFusion(nn.Module):
    """Frames (B, T, C, H, W) -> logits (B, K, H, W)."""

    def __init__(
        self, n_channels: int, n_classes: int, patch_size: int, temporal_module: str
    ) -> None:
        super().__init__()
        self.inc = DoubleConv(n_channels, WIDTHS[0])
        self.down1, self.down2, self.down3 = (Down(*pair) for pair in pairwise(WIDTHS))
        self.temporal_fusion = Fusion(WIDTHS[-1], temporal_module)
        vector = WIDTHS[-1] * (2 if temporal_module == "gru" else 1)
        self.shape = (WIDTHS[-1], patch_size // 8, patch_size // 8)
        self.decoder_projection = nn.Linear(vector, torch.Size(self.shape).numel())
        self.up1, self.up2, self.up3 = (
            Up(deep, fine, (deep + fine) // 2) for deep, fine in pairwise(reversed(WIDTHS))
        )
        self.outc = OutConv(WIDTHS[0], n_classes)

    def forward(self, frames: Tensor) -> Tensor:
        vectors = []
        for t in range(frames.shape[1]):
            one = self.inc(frames[:, t])
            two = self.down1(one)
            three = self.down2(two)
            four = self.down3(three)
            vectors.append(four.mean(dim=(2, 3)))
        fused = self.temporal_fusion(torch.stack(vectors, dim=1))
        x = self.decoder_projection(fused).view(-1, *self.shape)
        return self.outc(self.up3(self.up2(self.up1(x, three), two), one))


class BaselineUNet(nn.Module):
    """Images (B, T * C, H, W) -> logits (B, K, H, W)."""

    def __init__(self, n_channels: int, n_classes: int, bilinear: bool = True) -> None:
        super().__init__()
        widths = (*WIDTHS, 1024)
        self.inc = DoubleConv(n_channels, widths[0])
        self.down1, self.down2, self.down3, self.down4 = (Down(*p) for p in pairwise(widths))
        self.up1, self.up2, self.up3, self.up4 = (
            Up(deep, fine, fine, None if bilinear else nn.ConvTranspose2d(deep, deep, 2, 2))
            for deep, fine in pairwise(reversed(widths))
        )
        self.outc = OutConv(widths[0], n_classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.inc(x)]
        for down in (self.down1, self.down2, self.down3, self.down4):
            maps.append(down(maps[-1]))
        x = maps.pop()
        for up in (self.up1, self.up2, self.up3, self.up4):
            x = up(x, maps.pop())
        return self.outc(x)
