"""Synthetic forecasts for the tests of metrics, and the evaluation of a metric."""

import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.structures import Sample


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Return uniform numbers in [0, 1]."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def sample(forecast: Tensor, target: Tensor, valid: Tensor | None = None) -> Sample:
    """Return one sample, valid everywhere by default, after a frame of noise."""
    valid = torch.ones_like(target, dtype=torch.bool) if valid is None else valid
    last = draw(*target.shape[1:], seed=99).to(target)
    weight = torch.ones(target.shape[-2:])
    return {
        "forecast": forecast,
        "target": target,
        "valid": valid,
        "weight": weight,
        "last": last,
    }


def drawn_samples(count: int, shape: tuple[int, ...] = (2, 1, 12, 13)) -> list[Sample]:
    """Return forecasts of moderate quality."""
    targets = [draw(*shape, seed=2 * i) for i in range(count)]
    noise = [draw(*shape, seed=2 * i + 1) for i in range(count)]
    return [sample(0.7 * t + 0.3 * n, t) for t, n in zip(targets, noise, strict=True)]


def evaluated(
    metric: SampleMetric, samples: list[Sample], *, batch_size: int = 3
) -> dict[str, float]:
    """Return all scores of samples that are processed in batches."""
    for first in range(0, len(samples), batch_size):
        metric.process(None, samples[first : first + batch_size])
    return metric.evaluate(len(samples))


def frames(*rows: list[list[float]]) -> Tensor:
    """Return frames of one channel written out, (T, 1, H, W)."""
    return torch.tensor(rows).unsqueeze(1)
