"""U-Nets over image series, batch 1, 7 frames of 6 channels and 128 x 128 pixels.

The baselines compute in the published order with the same weights: recurrent nets encode frame by
frame, and their gates convolve the concatenation of input and state; the (2+1)D net applies 3-D
convolutions to volumes.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.harness import Row, compare
from openstl_ext.layers.memory_format import published_order
from openstl_ext.layers.sequence_rnn import SequenceConvGRU, SequenceConvLSTM
from openstl_ext.models.convgru_unet import ConvGRUUNet
from openstl_ext.models.convlstm_unet import ConvLSTMUNet
from openstl_ext.models.unet_2plus1d import UNet2Plus1D

SHAPE = (7, 6, 128, 128)
STEPS = "one step after another"
LEVEL = (128, 64)
"""Width and side of the second level's maps at this shape."""

Net = Callable[[Tensor], Tensor]


def rows() -> Iterator[Row]:
    torch.manual_seed(0)
    frames = torch.rand(1, *SHAPE)
    unet = UNet2Plus1D(in_channels=SHAPE[1])
    yield row("UNet2Plus1D", unet, in_published_order(unet), frames, "3-D convolutions", 1.2)
    yield training_row("UNet2Plus1D", unet, frames, "3-D convolutions", 1.1)
    for net, goal in (
        (ConvGRUUNet(in_channels=SHAPE[1]), 1.1),
        (ConvLSTMUNet(in_channels=SHAPE[1]), 1.05),
    ):
        yield row(type(net).__name__, net, step_by_step(net), frames, STEPS, goal)
    width, side = LEVEL
    maps = torch.rand(1, SHAPE[0], side, side, width).permute(
        0, 1, 4, 2, 3
    )  # as encoders return them
    for cells in (SequenceConvGRU(width), SequenceConvLSTM(width)):
        name = f"{type(cells).__name__}, {width} channels, {side} x {side}"
        yield row(name, cells, in_published_order(cells), maps, STEPS, 1.0)


def row(name: str, net: nn.Module, baseline: Net, x: Tensor, against: str, goal: float) -> Row:
    """Compare inference."""
    net.eval()

    def run(call: Net) -> None:
        with torch.no_grad():
            call(x)

    with torch.no_grad():
        torch.testing.assert_close(net(x), baseline(x), rtol=1e-3, atol=1e-4)
    taken = compare(lambda: run(baseline), lambda: run(net), rounds=3)
    return Row(f"{name}, inference", against, *taken, goal=goal)


def training_row(name: str, net: nn.Module, x: Tensor, against: str, goal: float) -> Row:
    """Compare forward and backward."""
    net.train()

    def step(call: Net) -> None:
        net.zero_grad()
        call(x).square().mean().backward()

    published = in_published_order(net)
    taken = compare(lambda: step(published), lambda: step(net), rounds=1)
    return Row(f"{name}, training step", against, *taken, goal=goal)


def in_published_order(net: nn.Module) -> Net:
    def call(x: Tensor) -> Tensor:
        with published_order():
            return net(x)

    return call


def step_by_step(net: ConvGRUUNet | ConvLSTMUNet) -> Net:
    """Return the published loop, which encodes one frame at a time."""

    def call(frames: Tensor) -> Tensor:
        with published_order():
            steps = [net.encoder(frame) for frame in frames.split(1, dim=1)]
            maps = [torch.cat(level, dim=1) for level in zip(*steps, strict=True)]
            last = [memory(level) for memory, level in zip(net.memories, maps, strict=True)]
            return net.decoder(last)

    return call
