"""ST-Mamba with its encoder over all steps at once, against a loop over steps.

The loop consists of PyTorch's own modules and keeps the memory format of its input. The layers
after the encoder are the same in both.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from benchmarks.harness import NotMeasured, Row, compare, no_bf16
from openstl_ext.layers.memory_format import published_order
from openstl_ext.layers.sequence_encoder import SequenceEncoder
from openstl_ext.layers.unet import DoubleConv
from openstl_ext.models.st_mamba import STMamba

LENGTH, CHANNELS, SIDE = 7, 6, 128
# batch, bf16, goal of inference, goal of a training step
CASES = ((1, False, 1.2, 1.0), (4, False, 1.2, 1.0), (4, True, 1.3, 1.3))
ROUNDS = 5


class StepLoop(nn.Module):
    """An encoder in plain modules, called once per step.

    Args:
        encoder: Encoder whose weights are copied.

    Shape:
        - as `SequenceEncoder`.
    """

    def __init__(self, encoder: SequenceEncoder) -> None:
        super().__init__()
        convs = [encoder.inlet, *(down.conv for down in encoder.downs)]
        self.levels = nn.ModuleList(plain(conv) for conv in convs)
        self.pool = nn.MaxPool2d(2)

    def forward(self, frames: Tensor, *, finer: Literal["all", "last"] = "all") -> list[Tensor]:
        levels: list[list[Tensor]] = [[] for _ in self.levels]
        for step in range(frames.shape[1]):
            x = frames[:, step]
            for index, level in enumerate(self.levels):
                x = level(self.pool(x) if index else x)
                levels[index].append(x)
        *fine, deepest = levels
        if finer == "last":
            fine = [level[-1:] for level in fine]
        return [torch.stack(level, dim=1) for level in (*fine, deepest)]


def plain(double: DoubleConv) -> nn.Sequential:
    """Return a double convolution of PyTorch's own modules with the same weights."""
    layers: list[nn.Module] = []
    pairs = (double.first, double.first_norm), (double.second, double.second_norm)
    for conv, norm in pairs:
        ours = nn.BatchNorm2d(norm.num_features, dtype=norm.weight.dtype)
        ours.load_state_dict(norm.state_dict())
        layers += [copy.deepcopy(conv), ours, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def rows() -> Iterator[Row | NotMeasured]:
    torch.manual_seed(0)
    net = STMamba(in_channels=CHANNELS, patch_size=SIDE)
    loop = copy.deepcopy(net)
    loop.encoder = StepLoop(net.encoder)
    for batch, bf16, infer_goal, train_goal in CASES:
        frames = torch.rand(batch, LENGTH, CHANNELS, SIDE, SIDE)
        kind = "bf16 autocast" if bf16 else "float32"
        label = f"STMamba, T = {LENGTH}, C = {CHANNELS}, {SIDE} x {SIDE}, batch {batch}, {kind}"
        if bf16 and (reason := no_bf16()):
            yield NotMeasured(label, reason)
            continue
        for mode, goal in ((inference, infer_goal), (training_step, train_goal)):
            seconds = compare(
                as_it_is(mode(loop, frames, bf16=False)), mode(net, frames, bf16), rounds=ROUNDS
            )
            name = f"{label}, {mode.__name__.replace('_', ' ')}"
            yield Row(name, "loop over steps, float32", *seconds, goal=goal)


def inference(net: nn.Module, frames: Tensor, bf16: bool) -> Callable[[], None]:
    def run() -> None:
        net.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            net(frames)

    return run


def training_step(net: nn.Module, frames: Tensor, bf16: bool) -> Callable[[], None]:
    """Return a step of forward, backward and update."""
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def run() -> None:
        net.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = net(frames)
        optimizer.zero_grad()
        logits.float().square().mean().backward()
        optimizer.step()

    return run


def as_it_is(call: Callable[[], None]) -> Callable[[], None]:
    """Return a call with the published memory format and order of operations."""

    def run() -> None:
        with published_order():
            call()

    return run
