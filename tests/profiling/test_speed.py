"""Time of one prediction."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.profiling import report, speed
from openstl_ext.profiling.report import profile
from openstl_ext.profiling.speed import Timing, time_prediction

INPUTS = {"frames": torch.rand(1, 4, 1, 8, 8)}


class Slow(nn.Module):
    """A net whose first calls take 100, 9, 2 and then 5 seconds of a clock that it advances."""

    durations = (100.0, 9.0, 2.0)
    now = calls = 0

    def forward(self, frames: Tensor) -> Tensor:
        Slow.now += Slow.durations[Slow.calls] if Slow.calls < 3 else 5.0
        Slow.calls += 1
        return frames


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> DirectForecast:
    """A method with that net, and the measurement with its clock."""
    monkeypatch.setattr(Slow, "now", 0.0)
    monkeypatch.setattr(Slow, "calls", 0)
    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: Slow.now))
    return DirectForecast(net=Slow(), loss={"type": "L2"})


@pytest.mark.parametrize(
    ("least", "most", "seconds", "expected"),
    [
        (1, 100, 1.0, Timing(9.0, 1)),
        (3, 100, 1.0, Timing(5.0, 3)),
        (1, 2, 1e9, Timing(5.5, 2)),
        (1, 100, 17.0, Timing(5.0, 4)),
    ],
)
def test_the_median_of_the_calls_after_the_first_within_the_limit(
    least: int, most: int, seconds: float, expected: Timing, slow: DirectForecast
) -> None:
    """The start of kernels would count, or a test would wait minutes for a slow net."""
    limits: dict[str, Any] = {"min_calls": least, "max_calls": most, "seconds": seconds}
    found = time_prediction(slow, INPUTS, 4, **limits)
    assert found.calls == expected.calls
    assert found.seconds == expected.seconds


def test_the_latency_is_that_of_one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch divides the cost of a call among its samples, for which no user waits alone."""
    batches: list[int] = []

    def measured(_: Any, inputs: dict[str, Tensor], *__: Any, **___: Any) -> Timing:
        batches.append(len(inputs["frames"]))
        return Timing(0.5 * len(inputs["frames"]), 7)

    monkeypatch.setattr(report, "time_prediction", measured)
    method = DirectForecast(net=nn.Identity(), loss={"type": "L2"})
    found = profile(method, INPUTS, horizon=4, batch_size=6)
    assert (found["latency"], found["latency_calls"]) == (0.5, 7)
    assert found["frames_per_second"] == 6 * 4 / 3.0
    assert batches == [6, 1]
    one = profile(method, INPUTS, horizon=4)
    assert batches == [6, 1, 1]  # not measured twice
    assert one["latency"] == 0.5
    assert one["frames_per_second"] == 4 / 0.5
