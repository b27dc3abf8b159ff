"""Correlation of anomalies."""

from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.anomaly import AnomalyCorrelation
from tests.metrics.samples import drawn_samples, evaluated


def test_it_is_the_correlation_of_differences_from_the_climatology(tmp_path: Path) -> None:
    """With area weights, per map, then averaged."""
    mean = np.random.default_rng(0).random((1, 12, 13)).astype(np.float32)
    np.save(tmp_path / "mean.npy", mean)
    samples = drawn_samples(3)
    expected = []
    for sample in samples:
        weight = np.cos(np.linspace(-1, 1, 12))[:, None] * np.ones(13)
        sample["weight"][:] = torch.from_numpy(weight)
        for lead in range(2):
            f, t = (sample[side][lead].double().numpy() - mean for side in ("forecast", "target"))
            norm = np.sqrt((weight * f * f).sum() * (weight * t * t).sum())
            expected.append((weight * f * t).sum() / norm)
    metric = AnomalyCorrelation(climatology=str(tmp_path / "mean.npy"))
    assert evaluated(metric, samples)["acc"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert metric.digest in metric.convention()


def test_mistakes_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="write it with `openstl-ext data climatology CONFIG"):
        AnomalyCorrelation(climatology=str(tmp_path / "none.npy"))
    np.save(tmp_path / "flat.npy", np.zeros(3))
    with pytest.raises(ConfigError, match="has shape"):
        AnomalyCorrelation(climatology=str(tmp_path / "flat.npy"))
    np.save(tmp_path / "other.npy", np.zeros((1, 5, 5)))
    metric = AnomalyCorrelation(climatology=str(tmp_path / "other.npy"))
    with pytest.raises(ConfigError, match="write it again for these data"):
        metric.process(None, drawn_samples(1))
