"""ConvLSTM-S at OpenSTL's shapes, batch 1."""

import torch
from torch import Tensor

from benchmarks.harness import NotMeasured, Row, compare, no_bf16
from openstl_ext.methods.recurrent_forecast import RecurrentForecast
from openstl_ext.models.convlstm import ConvLSTM

SHAPES = {"Moving MNIST": (10, 1, 64, 64), "TaxiBJ": (4, 2, 32, 32)}
PATCH = {"Moving MNIST": 4, "TaxiBJ": 2}


def rows() -> list[Row | NotMeasured]:
    return [bf16_row(name) for name in SHAPES]


def bf16_row(name: str) -> Row | NotMeasured:
    """A forecast of as many frames as are given, in float32 and under bf16 autocast."""
    label = f"ConvLSTM forecast, {name}"
    if reason := no_bf16():
        return NotMeasured(label, reason)
    torch.manual_seed(0)
    frames = torch.rand(1, *SHAPES[name])
    net = ConvLSTM(in_channels=frames.shape[2], patch_size=PATCH[name])
    teacher_forcing, loss = {"type": "FreeRunning"}, {"type": "L2"}
    method = RecurrentForecast(net=net, teacher_forcing=teacher_forcing, loss=loss).eval()

    def forecast(bf16: bool) -> Tensor:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            return method.forecast({"frames": frames}, horizon=frames.shape[1])["forecast"]

    taken = compare(lambda: forecast(False), lambda: forecast(True), rounds=3)
    return Row(label, "float32", *taken, goal=1.5)
