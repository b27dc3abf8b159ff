"""Measure the speed of a method in frames or labelled samples per second."""

import copy
import statistics
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def frames_per_second(
    method: nn.Module,
    inputs: Mapping[str, Tensor],
    horizon: int,
    *,
    min_runs: int = 3,
    max_runs: int = 100,
    seconds: float = 1.0,
) -> float:
    """Measure forecast frames per second of a copy in eval mode.

    The number of frames is the batch size times the horizon; for labels it is the batch size.

    Args:
        method: The method, which does not change.
        inputs: Normalised inputs with a batch axis, on the device of the method.
        horizon: Number of future frames.
        min_runs: Smallest number of timed runs; the result is their median.
        max_runs: Largest number of timed runs.
        seconds: Approximate duration of the measurement.
    """
    probe: Any = copy.deepcopy(method).eval()
    batch = len(inputs["frames"])
    device = inputs["frames"].device
    times: list[float] = []
    with torch.inference_mode():
        timed(probe, inputs, horizon, device)  # the first run selects kernels and fills caches
        end = time.perf_counter() + seconds
        while len(times) < min_runs or (len(times) < max_runs and time.perf_counter() < end):
            times.append(timed(probe, inputs, horizon, device))
    answers = batch * horizon if probe.answers == "frames" else batch
    return answers / statistics.median(times)


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
