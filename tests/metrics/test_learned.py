"""Learned distances: what they need, how they call their networks, and what is computed of it."""

import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError, UserError
from openstl_ext.hooks.baselines import tallies_of
from openstl_ext.metrics.learned import FVD, LPIPS, frechet_distance
from tests.metrics.samples import drawn_samples, evaluated, sample
from tests.metrics.test_processes import MeanPixels, on


class PublishedDetector(nn.Module):
    """Detector with the options of the published I3D file, and their defaults."""

    def forward(
        self,
        x: Tensor,
        rescale: bool = True,
        resize: bool = True,
        return_features: bool = False,
    ) -> Tensor:
        if rescale:
            x = 2 * x - 1
        if resize:
            x = x[:, :, :, :2, :2]
        features = x.mean(dim=(1, 3, 4))[:, :2]
        return features if return_features else features.softmax(dim=1)


class FakeLPIPS(nn.Module):
    """Mean absolute difference of frames in -1..1, called as ``lpips.LPIPS`` of lpips 0.1.4."""

    def __init__(
        self,
        pretrained: bool = True,
        net: str = "alex",
        version: str = "0.1",
        lpips: bool = True,
        spatial: bool = False,
        pnet_rand: bool = False,
        pnet_tune: bool = False,
        use_dropout: bool = True,
        model_path: str | None = None,
        eval_mode: bool = True,
        verbose: bool = True,
    ) -> None:
        super().__init__()
        assert (net, pretrained, lpips, version) == ("vgg", True, True, "0.1")
        self.weight = nn.Parameter(torch.ones(1, 3, 1, 1))

    def forward(self, in0: Tensor, in1: Tensor) -> Tensor:
        assert not self.training
        for frames in (in0, in1):
            assert frames.shape[1] == 3
            assert frames.dtype == self.weight.dtype
            assert float(torch.nan_to_num(frames).abs().max()) <= 1
        if in0.shape[-1] < 8:
            raise RuntimeError("Output size is too small")
        return (self.weight * (in0 - in1)).abs().mean(dim=(1, 2, 3), keepdim=True)


@pytest.fixture
def fake_lpips(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("lpips")
    module.LPIPS = FakeLPIPS
    monkeypatch.setitem(sys.modules, "lpips", module)


@pytest.fixture
def detector(tmp_path: Path) -> str:
    path = tmp_path / "detector.pt"
    torch.jit.script(MeanPixels()).save(str(path))
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
    assert not tallies_of([metric])  # features of all samples, of which no pair can be compared


def test_the_published_detector_is_asked_for_features(tmp_path: Path, detector: str) -> None:
    """By default it shifts videos that are in -1..1 already, and returns probabilities."""
    path = tmp_path / "i3d.pt"
    torch.jit.script(PublishedDetector()).save(str(path))
    samples = drawn_samples(6, (2, 1, 8, 8))
    plain = evaluated(FVD(detector=detector), samples)
    assert plain["fvd"] > 0
    assert evaluated(FVD(detector=str(path)), samples) == plain


def test_fvd_ignores_invalid_pixels(detector: str) -> None:
    samples = drawn_samples(5, (2, 1, 8, 8))
    for each in samples:
        each["valid"][:, :, :3] = False
    metric = FVD(detector=detector)
    assert metric.higher_is_better is False
    expected = evaluated(metric, samples)["fvd"]
    for each in samples:
        each["forecast"][:, :, :3] = 7.0
        each["target"][:, :, :3] = math.nan
    assert evaluated(metric, samples)["fvd"] == expected
    for each in samples:
        each["target"][:, :, 3:] += 0.5
    assert evaluated(metric, samples)["fvd"] > expected


def test_the_checksum_of_a_detector_measures_nothing() -> None:
    """The record of a test has it in place of the file, to name the metric."""
    metric = FVD(detector="sha256:0123456789ab")
    assert not metric.is_paired
    with pytest.raises(ConfigError, match=r"sha256:0123456789ab is the checksum of a record"):
        metric.process(None, drawn_samples(1, (2, 1, 8, 8)))


@pytest.mark.parametrize("channels", [1, 3])
def test_lpips_is_the_mean_over_frames(fake_lpips: None, channels: int) -> None:
    """Distances of frames in -1..1 are twice those in 0..1."""
    samples = drawn_samples(5, (3, channels, 8, 9))
    metric = LPIPS(net="vgg")
    scores = evaluated(metric, samples)
    errors = torch.stack([(s["forecast"] - s["target"]).abs().mean(dim=(1, 2, 3)) for s in samples])
    leads = (2 * errors.mean(dim=0)).tolist()
    assert scores["lpips"] == pytest.approx(sum(leads) / 3, rel=1e-6)
    assert [scores[f"lpips@{k}"] for k in (1, 2, 3)] == pytest.approx(leads, rel=1e-6)
    assert metric.higher_is_better is False
    half = [{**s, "forecast": s["forecast"].double() / 2 + s["target"] / 2} for s in samples]
    assert evaluated(metric, half)["lpips"] == pytest.approx(scores["lpips"] / 2, rel=1e-6)
    scaled = [{**s, **{k: 255 * s[k] for k in ("forecast", "target")}} for s in samples]
    found = evaluated(LPIPS(net="vgg", data_range=255), scaled)
    assert found["lpips"] == pytest.approx(scores["lpips"], rel=1e-5)


def test_lpips_ignores_invalid_pixels_but_no_others(fake_lpips: None) -> None:
    samples = drawn_samples(3, (2, 1, 8, 8))
    metric = LPIPS(net="vgg")
    samples[0]["valid"][0] = False
    samples[1]["valid"][:, :, :4] = False
    expected = evaluated(metric, samples)
    errors = [(s["forecast"] - s["target"]).abs() for s in samples]
    totals = [(2 * torch.where(s["valid"], e, 0.0)) for s, e in zip(samples, errors, strict=True)]
    frames = torch.stack([t.mean(dim=(1, 2, 3)) for t in totals])
    assert expected["lpips"] == pytest.approx(float(frames.sum() / 5), rel=1e-6)
    for k, rows in ((0, (0,)), (1, (slice(None), slice(None), slice(4)))):
        samples[k]["forecast"][rows], samples[k]["target"][rows] = math.nan, -3.0
    assert evaluated(metric, samples) == expected
    samples[2]["forecast"][1, 0, 0, 0] = math.nan
    broken = evaluated(metric, samples)
    assert math.isnan(broken["lpips@2"])
    assert broken["lpips@1"] == expected["lpips@1"]


def test_lpips_has_the_same_bits_on_any_number_of_processes(
    fake_lpips: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = drawn_samples(4, (2, 1, 8, 8))
    (alone,) = on(1, [LPIPS(net="vgg")], samples, monkeypatch)
    for world in (2, 3):
        metrics = [LPIPS(net="vgg") for _ in range(world)]
        assert all(scores == alone for scores in on(world, metrics, samples, monkeypatch))


def test_what_lpips_cannot_do_is_one_sentence(
    fake_lpips: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = LPIPS(net="vgg")
    with pytest.raises(ShapeError, match=r"fails on frames of 8 x 7 pixels .*too small"):
        metric.process(None, drawn_samples(1, (2, 1, 8, 7)))
    with pytest.raises(ConfigError, match="1 or 3 channels, these have 2"):
        metric.process(None, drawn_samples(1, (2, 2, 8, 8)))

    def offline(**_: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(sys.modules["lpips"], "LPIPS", offline)
    with pytest.raises(UserError, match=r"weights of alex cannot be downloaded \(no route to host"):
        LPIPS()


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
