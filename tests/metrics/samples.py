"""Synthetic forecasts for the tests of metrics, and the evaluation of a metric."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {"threshold": 0.5} for name in ("CSI", "POD", "FAR", "FrequencyBias")},
    "FractionsSkillScore": {"threshold": 0.5, "window": 3},
}
"""Arguments that have no default."""
NEED_FILES = ("LPIPS", "FVD")
"""Metrics whose networks are not part of the package."""


def built(name: str) -> SampleMetric:
    """Return a registered metric for numbers in [0, 1]."""
    arguments = ARGUMENTS.get(name, {})
    if name == "AnomalyCorrelation":
        arguments = {"climatology": str(climatology())}
    metric: SampleMetric = METRICS.build({"type": name, **arguments})
    return metric


@functools.cache
def climatology() -> Path:
    """Write a climatology for frames of any size."""
    path = Path(tempfile.mkdtemp()) / "climatology.npy"
    np.save(path, np.full((1, 1, 1), 0.5, np.float32))
    return path


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
