"""Measure the time of one prediction."""

import copy
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Timing:
    """Duration of a prediction.

    Args:
        seconds: Median of the timed calls.
        calls: Number of timed calls.
    """

    seconds: float
    calls: int


def time_prediction(
    method: nn.Module,
    inputs: Mapping[str, Tensor],
    horizon: int,
    *,
    min_calls: int = 3,
    max_calls: int = 100,
    seconds: float = 1.0,
) -> Timing:
    """Measure the prediction of a batch by a copy in eval mode, after one call that does not count.

    Args:
        method: The method, which does not change.
        inputs: Normalised inputs with a batch axis, on the device of the method.
        horizon: Number of future frames; not used for labels.
        min_calls: Smallest number of timed calls.
        max_calls: Largest number of timed calls.
        seconds: Time after which no further call begins.
    """
    probe: Any = copy.deepcopy(method).eval()
    device = inputs["frames"].device
    times: list[float] = []
    with torch.inference_mode():
        timed(probe, inputs, horizon, device)  # the first call selects kernels and fills caches
        end = time.perf_counter() + seconds
        while len(times) < min_calls or (len(times) < max_calls and time.perf_counter() < end):
            times.append(timed(probe, inputs, horizon, device))
    return Timing(statistics.median(times), len(times))


def timed(method: Any, inputs: Mapping[str, Tensor], horizon: int, device: torch.device) -> float:
    """Return the seconds of one prediction."""
    _finish(device)
    start = time.perf_counter()
    if method.answers == "frames":
        method.forecast(inputs, horizon)
    else:
        method.tensor(inputs)
    _finish(device)
    return time.perf_counter() - start


def _finish(device: torch.device) -> None:
    """Wait for the kernels of a GPU, which run asynchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
