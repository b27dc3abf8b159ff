"""Power by wavenumber."""

import math

import numpy as np
import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.metrics.spectrum import (
    LogSpectralDistance,
    SpectralMetric,
    SpectralPowerRatio,
    radial_spectrum,
)
from tests.metrics.samples import drawn_samples, evaluated, sample


def brute_force(plane: np.ndarray) -> np.ndarray:
    """Return the radially averaged power, coefficient by coefficient."""
    height, width = plane.shape
    longest = max(height, width)
    power = np.abs(np.fft.fft2(plane)) ** 2 / plane.size
    rings: dict[int, list[float]] = {}
    for row in range(height):
        for column in range(width):
            y = min(row, height - row) / height
            x = min(column, width - column) / width
            rings.setdefault(round(longest * math.hypot(y, x)), []).append(power[row, column])
    return np.array([np.mean(rings[k]) for k in range(longest // 2 + 1)])


@pytest.mark.parametrize("size", [(16, 16), (12, 20), (15, 9)])
def test_the_spectrum_is_the_mean_of_each_ring(size: tuple[int, int]) -> None:
    plane = torch.rand(size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(radial_spectrum(plane), brute_force(plane.numpy()), rtol=1e-10)


def test_a_wave_has_its_power_at_its_wavenumber() -> None:
    columns = torch.arange(32, dtype=torch.float64)
    wave = torch.cos(2 * math.pi * 5 * columns / 32).expand(32, 32)
    spectrum = radial_spectrum(wave)
    assert spectrum.argmax() == 5
    assert spectrum.sum() == pytest.approx(spectrum[5].item())


def test_half_the_amplitude_is_six_decibels() -> None:
    """10 log10(4) at each wavenumber."""
    (one,) = drawn_samples(1)
    halved = sample(one["target"] / 2, one["target"])
    scores = evaluated(LogSpectralDistance(), [halved])
    assert scores["spectral_distance"] == pytest.approx(10 * math.log10(4), abs=1e-5)
    scores = evaluated(SpectralPowerRatio(), [halved])
    assert all(value == pytest.approx(0.25, rel=1e-5) for value in scores.values())


def test_a_blurred_forecast_lacks_power_at_small_scales() -> None:
    (one,) = drawn_samples(1, (2, 1, 32, 32))
    blurred = torch.nn.functional.avg_pool2d(one["target"], 3, stride=1, padding=1)
    scores = evaluated(SpectralPowerRatio(), [sample(blurred, one["target"])])
    assert scores["spectral_power[8]"] < 0.3 < 0.8 < scores["spectral_power[1]"]
    parts = [f"spectral_power[{k}]" for k in (1, 2, 4, 8, 16)]
    assert [name for name in scores if "@" not in name] == ["spectral_power", *parts]
    assert scores["spectral_power[8]@1"] != scores["spectral_power[8]@2"]


def test_an_octave_has_the_power_of_its_wavenumbers() -> None:
    """Waves of 5 and of 9 periods, halved and doubled in the forecast."""
    columns = 2 * math.pi * torch.arange(32) / 32
    slow, fast = (torch.cos(k * columns).expand(1, 1, 32, 32) for k in (5, 9))
    scores = evaluated(SpectralPowerRatio(), [sample(slow / 2 + 2 * fast, slow + fast)])
    assert scores["spectral_power[4]@1"] == pytest.approx(1 / 4, rel=1e-5)
    assert scores["spectral_power[8]@1"] == pytest.approx(4, rel=1e-5)
    powers = [radial_spectrum(part)[..., 1:].sum() for part in (slow / 2 + 2 * fast, slow + fast)]
    assert scores["spectral_power"] == pytest.approx(float(powers[0] / powers[1]), rel=1e-5)


@pytest.mark.parametrize("kind", [LogSpectralDistance, SpectralPowerRatio])
@pytest.mark.parametrize("level", [0.0, 0.7])
def test_a_flat_target_is_not_counted(kind: type[SpectralMetric], level: float) -> None:
    """One frame without rain would have an infinite distance, and with it the whole test."""
    metric, samples = kind(), drawn_samples(2)
    alone = evaluated(metric, samples[:1])
    samples[1]["target"] = torch.full_like(samples[1]["target"], level)
    assert evaluated(metric, samples) == alone
    facts = metric.describe()[metric.name]
    assert (facts["leads"], facts["num_unscored_frames"]) == (2, 2)
    assert "invalid pixel" in facts["convention"]


def test_a_flat_forecast_is_far_away_but_not_at_infinity() -> None:
    (one,) = drawn_samples(1)
    for level in (0.0, 0.7):
        flat = sample(torch.full_like(one["target"], level), one["target"])
        assert 90 < evaluated(LogSpectralDistance(), [flat])["spectral_distance"] <= 120


@pytest.mark.parametrize("kind", [LogSpectralDistance, SpectralPowerRatio])
def test_a_map_with_a_gap_is_not_counted(kind: type[SpectralMetric]) -> None:
    samples = drawn_samples(2)
    whole = evaluated(kind(), samples[:1])
    samples[1]["valid"][:, 0, 3, 3] = False
    assert evaluated(kind(), samples) == whole


@pytest.mark.parametrize("kind", [LogSpectralDistance, SpectralPowerRatio])
def test_a_pixel_alone_has_no_spectrum(kind: type[SpectralMetric]) -> None:
    with pytest.raises(ShapeError, match="a frame of one pixel has no spectrum"):
        evaluated(kind(), drawn_samples(1, (2, 1, 1, 1)))
    assert evaluated(kind(), drawn_samples(1, (2, 1, 1, 2)))
