"""Power by wavenumber."""

import math

import numpy as np
import pytest
import torch

from openstl_ext.metrics.spectrum import (
    LogSpectralDistance,
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
    (one,) = drawn_samples(1, (1, 1, 32, 32))
    blurred = torch.nn.functional.avg_pool2d(one["target"], 3, stride=1, padding=1)
    scores = evaluated(SpectralPowerRatio(), [sample(blurred, one["target"])])
    assert scores["spectral_power[14]"] < 0.2 < 0.5 < scores["spectral_power[2]"]
    assert list(scores)[:2] == ["spectral_power", "spectral_power[0]"]


def test_a_map_with_a_gap_is_not_counted() -> None:
    samples = drawn_samples(2)
    whole = evaluated(SpectralPowerRatio(), samples[:1])
    samples[1]["valid"][:, 0, 3, 3] = False
    assert evaluated(SpectralPowerRatio(), samples) == whole
