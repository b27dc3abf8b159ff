"""Correlation of anomalies."""

from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.hooks.result import _with_contents
from openstl_ext.metrics.anomaly import AnomalyCorrelation
from openstl_ext.results.protocol import protocol_of
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
    np.save(tmp_path / "leads.npy", np.zeros((5, 1, 12, 13)))
    metric = AnomalyCorrelation(climatology=str(tmp_path / "leads.npy"))
    with pytest.raises(ConfigError, match=r"frames \(5, 1, 12, 13\), the targets \(2, 1, 12, 13\)"):
        metric.process(None, drawn_samples(1))


def test_pixels_without_a_climatology_do_not_count(tmp_path: Path) -> None:
    """A pixel that no training target knows would make the score NaN."""
    mean = np.full((1, 12, 13), 0.5, np.float32)
    np.save(tmp_path / "mean.npy", mean)
    mean[0, 3, 4:9] = np.nan
    np.save(tmp_path / "gap.npy", mean)
    samples = drawn_samples(2)
    found = evaluated(AnomalyCorrelation(climatology=str(tmp_path / "gap.npy")), samples)
    for s in samples:
        s["valid"][:, 0, 3, 4:9] = False
    assert found == evaluated(AnomalyCorrelation(climatology=str(tmp_path / "mean.npy")), samples)


def test_another_climatology_of_the_same_name_is_another_protocol(tmp_path: Path) -> None:
    """Scores from two climatologies would be in one table."""
    configs, metrics = [], []
    for folder, value in (("one", 0.0), ("copy", 0.0), ("other", 0.5)):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "mean.npy", np.full((1, 1, 1), value))
        configs.append({"climatology": str(tmp_path / folder / "mean.npy")})
        metrics.append(AnomalyCorrelation(**configs[-1]))
    found = [
        protocol_of({}, _with_contents([config], [metric]), None, size=1, shapes={})["fingerprint"]
        for config, metric in zip(configs, metrics, strict=True)
    ]
    assert found[0] == found[1] != found[2]
    whole = _with_contents({"type": "Evaluator", "metrics": configs}, metrics)
    assert len({metric["climatology"] for metric in whole[0]["metrics"]}) == 2


def test_kept_tallies_are_scored_without_the_file(tmp_path: Path) -> None:
    """Two runs could not be compared where the climatology is not at hand."""
    np.save(tmp_path / "mean.npy", np.full((1, 1, 1), 0.5))
    metric = AnomalyCorrelation(climatology=str(tmp_path / "mean.npy"))
    scores = evaluated(metric, drawn_samples(2))
    recorded = AnomalyCorrelation(**metric.contents())
    assert recorded.compute_metrics(metric.tallies) == scores
    assert recorded.convention() == metric.convention()
    with pytest.raises(ConfigError, match="is the checksum of a record; give the file"):
        recorded.process(None, drawn_samples(1))
