"""Learned distances: what they need, and the arithmetic of the Frechet distance."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, UserError
from openstl_ext.metrics.learned import FVD, LPIPS, frechet_distance
from tests.metrics.samples import drawn_samples, evaluated, sample


class MeanColour(nn.Module):
    """Detector whose features are the means of the first two frames."""

    def forward(self, video: Tensor) -> Tensor:
        return video.mean(dim=(1, 3, 4))[:, :2]


@pytest.fixture
def detector(tmp_path: Path) -> str:
    path = tmp_path / "detector.pt"
    torch.jit.script(MeanColour()).save(str(path))
    return str(path)


def test_the_distance_of_normal_samples_is_the_closed_form() -> None:
    """Diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2."""
    rng = np.random.default_rng(0)
    one = rng.normal(0, [1.0, 2.0], (200_000, 2))
    other = rng.normal([3.0, 0.0], [2.0, 0.5], (200_000, 2))
    expected = 9 + (1 - 2) ** 2 + (2 - 0.5) ** 2
    found = frechet_distance(one, other, np.ones(len(one)))
    assert found == pytest.approx(expected, rel=0.01)
    assert frechet_distance(one, one, np.ones(len(one))) == pytest.approx(0, abs=1e-9)
    assert math.isnan(frechet_distance(one[:1], other[:1], np.ones(1)))


def test_fvd_is_the_distance_of_features(detector: str) -> None:
    samples = drawn_samples(6, (2, 1, 8, 8))
    metric = FVD(detector=detector)
    features = [
        np.array([(2 * s[side] - 1).double().mean(dim=(1, 2, 3)).numpy() for s in samples])
        for side in ("forecast", "target")
    ]
    expected = frechet_distance(*features, np.ones(6))
    scores = evaluated(metric, samples)
    assert scores == {"fvd": pytest.approx(expected, abs=1e-4)}
    perfect = [sample(s["target"], s["target"]) for s in samples]
    assert evaluated(metric, perfect)["fvd"] == pytest.approx(0, abs=1e-6)
    assert metric.describe()["fvd"]["interval"] is None


class ThreeFrames(nn.Module):
    """Detector of three frames or more, as I3D is one of ten."""

    def forward(self, video: Tensor) -> Tensor:
        assert video.shape[2] >= 3, "too short"
        return video.mean(dim=2)


def test_a_detector_of_other_videos_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "three.pt"
    torch.jit.script(ThreeFrames()).save(str(path))
    metric = FVD(detector=str(path))
    with pytest.raises(ConfigError, match=r"fails on a video of 2 frames .*too short"):
        metric.process(None, drawn_samples(1, (2, 1, 8, 8)))
    with pytest.raises(ConfigError, match=r"returns \(1, 3, 224, 224\) for one video"):
        metric.process(None, drawn_samples(1, (3, 1, 8, 8)))


def test_nan_in_a_forecast_reaches_fvd(detector: str) -> None:
    samples = drawn_samples(3, (2, 1, 8, 8))
    samples[1]["forecast"][0, 0, 2, 2] = math.nan
    assert math.isnan(evaluated(FVD(detector=detector), samples)["fvd"])


def test_what_is_missing_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(UserError, match="pip install lpips torchvision"):
        LPIPS()
    with pytest.raises(ConfigError, match="does not exist; it is a TorchScript file"):
        FVD(detector=str(tmp_path / "none.pt"))
    (tmp_path / "text.pt").write_text("no archive")
    with pytest.raises(ConfigError, match="is no TorchScript file"):
        FVD(detector=str(tmp_path / "text.pt"))
