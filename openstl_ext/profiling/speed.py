"""How many frames a method forecasts in a second, or how many samples it labels."""

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
    """Forecast frames per second of a copy in eval mode: the batch times the horizon, over time.

    A method whose answer is labels has no horizon: of one, it is samples per second.

    Args:
        method: The method; it is left alone.
        inputs: Normalised inputs with a batch axis, on the device of the method.
        horizon: Number of future frames.
        min_runs: Forecasts to time at least; the median counts, for one may be disturbed.
        max_runs: Forecasts to time at most.
        seconds: Keep timing until that long has passed.
    """
    probe: Any = copy.deepcopy(method).eval()
    batch = len(inputs["frames"])
    device = inputs["frames"].device
    times: list[float] = []
    with torch.inference_mode():
        timed(probe, inputs, horizon, device)  # the first run chooses kernels and fills caches
        end = time.perf_counter() + seconds
        while len(times) < min_runs or (len(times) < max_runs and time.perf_counter() < end):
            times.append(timed(probe, inputs, horizon, device))
    answers = batch * horizon if probe.answers == "frames" else batch
    return answers / statistics.median(times)


def timed(method: Any, inputs: Mapping[str, Tensor], horizon: int, device: torch.device) -> float:
    """Seconds of one forecast, or of one labelling."""
    _finish(device)
    start = time.perf_counter()
    if method.answers == "frames":
        method.forecast(inputs, horizon)
    else:
        method.tensor(inputs)
    _finish(device)
    return time.perf_counter() - start


def _finish(device: torch.device) -> None:
    """Wait for what was queued, or only the queueing is timed."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
