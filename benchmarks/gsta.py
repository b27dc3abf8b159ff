"""SimVP-gSTA on a CPU against the same net as published: plain convolutions, NCHW, float32."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.harness import NotMeasured, Row, compare, no_bf16
from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d
from openstl_ext.layers.memory_format import published_order
from openstl_ext.models.simvp import SimVP

BATCH = 4
WARM_UP = 3  # training steps until the heap no longer grows
TAXIBJ: dict[str, Any] = {
    "in_shape": (4, 2, 32, 32),
    "spatial_channels": 32,
    "temporal_channels": 256,
    "num_spatial_blocks": 2,
    "num_temporal_blocks": 8,
    "drop_path": 0.1,
}
MOVING_MNIST: dict[str, Any] = {
    "in_shape": (10, 1, 64, 64),
    "spatial_channels": 64,
    "temporal_channels": 512,
    "num_spatial_blocks": 4,
    "num_temporal_blocks": 8,
}
# what, arguments, bf16, goal of inference, goal of a training step
NETS = (
    ("TaxiBJ", TAXIBJ, False, 1.25, 1.1),
    ("TaxiBJ", TAXIBJ, True, 1.7, 1.3),
    ("Moving MNIST", MOVING_MNIST, True, 1.8, 1.8),
)
OPERATOR_SIZES = ((4, 512, 16, 16), (1, 512, 64, 64))


def rows() -> Iterator[Row | NotMeasured]:
    for size in OPERATOR_SIZES:
        yield from operator_rows(size)
    for name, arguments, bf16, *goals in NETS:
        yield from net_rows(name, SimVP(**arguments), bf16, *goals)


def operator_rows(size: tuple[int, int, int, int]) -> Iterator[Row]:
    layer = DilatedDepthwiseConv2d(size[1], kernel_size=7, dilation=3)
    frames, grad = torch.rand(size), torch.rand(size)
    order = torch.channels_last  # each input has the memory format that it has in the net
    fast, fast_grad = (t.contiguous(memory_format=order) for t in (frames, grad))

    def forward(x: Tensor) -> Tensor:
        with torch.no_grad():
            return layer(x)

    def backward(x: Tensor, grad: Tensor) -> Callable[[], object]:
        x = x.clone(memory_format=torch.preserve_format).requires_grad_()
        out, wanted = layer(x), (x, *layer.parameters())
        return lambda: torch.autograd.grad(out, wanted, grad, retain_graph=True)

    with published_order():
        plain_backward = backward(frames, grad)
    pairs = {
        "forward": (published(lambda: forward(frames)), lambda: forward(fast)),
        "backward": (plain_backward, backward(fast, fast_grad)),
    }
    for what, (plain, ours) in pairs.items():
        name = f"dilated depthwise 7x7, {what}, {' x '.join(map(str, size))}"
        yield Row(name, "nn.Conv2d", *compare(plain, ours, rounds=9), goal=3)


def net_rows(
    name: str, net: SimVP, bf16: bool, infer_goal: float, train_goal: float
) -> Iterator[Row | NotMeasured]:
    kind = "bf16 autocast" if bf16 else "float32"
    label = f"SimVP-gSTA, {name}, batch {BATCH}, {kind}"
    if bf16 and (reason := no_bf16()):
        yield NotMeasured(label, reason)
        return
    frames = torch.rand(BATCH, *net.in_shape)
    cast = torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext()

    def infer() -> None:
        with torch.no_grad():
            net(frames)

    def infer_ours() -> None:
        with cast:
            infer()

    net.eval()
    seconds = compare(published(infer), infer_ours)
    yield Row(f"{label}, inference", "as published, float32", *seconds, goal=infer_goal)

    net.train()
    plain = training_step(net, frames, nullcontext(), torch.optim.Adam(net.parameters()))
    fused = torch.optim.Adam(net.parameters(), fused=True)  # as the engine uses on CPUs
    ours = training_step(net, frames, cast, fused)
    for _ in range(WARM_UP):
        published(plain)()
        ours()
    seconds = compare(published(plain), ours)
    yield Row(f"{label}, training step", "as published, float32", *seconds, goal=train_goal)


def training_step(
    net: nn.Module, frames: Tensor, cast: torch.autocast | nullcontext, adam: torch.optim.Adam
) -> Callable[[], None]:
    """Return a step of forward, backward and update."""

    def step() -> None:
        with cast:
            out = net(frames)
        adam.zero_grad()
        (out.float() - frames).square().mean().backward()
        adam.step()

    return step


def published(call: Callable[[], object]) -> Callable[[], object]:
    """Return a call with the published memory format and order of operations."""

    def plain() -> object:
        with published_order():
            return call()

    return plain
