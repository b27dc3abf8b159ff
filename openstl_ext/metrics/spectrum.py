"""Power of frames by spatial scale: which scales a forecast has, and which it has lost."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

SMALLEST = 1e-12
"""Power below which two frames are equally empty, relative to the largest of the target."""


@lru_cache(maxsize=16)
def _rings(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the ring of each coefficient (H * W,), and the number of each ring."""
    longest = max(height, width)
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in (height, width))
    radius = torch.round(longest * torch.hypot(rows[:, None], columns)).long().flatten()
    return radius, torch.bincount(radius)


def radial_spectrum(frames: Tensor) -> Tensor:
    """Return the mean power of the coefficients of each ring of wavenumbers.

    Ring k has the coefficients of k waves along the longer side, rounded; rings end at half the
    longer side, where waves are two pixels long. The power is that of ``fft2``, squared, over the
    number of pixels.

    Shape:
        - frames: (..., H, W); returns: (..., max(H, W) // 2 + 1), float64.

    Source:
        Ruzanski and Chandrasekar, 2011; ``rapsd`` of pysteps for square frames.
    """
    height, width = frames.shape[-2:]
    ring, number = (part.to(frames.device) for part in _rings(height, width))
    power = torch.fft.fft2(frames.double()).abs().square().flatten(-2) / (height * width)
    sums = power.new_zeros(*power.shape[:-1], len(number)).index_add_(-1, ring, power)
    return (sums / number)[..., : max(height, width) // 2 + 1]


def _whole(sample: Sample) -> Tensor:
    """Return which maps (T, C) have no invalid pixel: gaps change every coefficient."""
    return sample["valid"].flatten(2).all(dim=2)


def _spectra(sample: Sample) -> tuple[Tensor, Tensor]:
    """Return the spectra (T, C, K) of forecast and target; of invalid pixels as if they were 0."""
    found = (torch.where(sample["valid"], sample[side], 0.0) for side in ("forecast", "target"))
    forecast, target = (radial_spectrum(frames) for frames in found)
    return forecast, target


@METRICS.register_module()
class LogSpectralDistance(SampleMetric):
    """Distance of the spectra of forecast and target in dB, mean over maps and samples.

    The root of the mean over wavenumbers, from 1 on, of the squared difference of the radially
    averaged power in decibels. A forecast that is blurred is far away even if its squared error is
    small. A map with an invalid pixel is not counted. Power below 1e-12 of the largest one of the
    target counts as that.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.

    Source:
        Gray and Markel, Distance measures for speech processing, 1976.
    """

    axes = ("lead", "channel")
    pools_units = True
    name = "spectral_distance"
    unit = "dB"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        forecast, target = (spectrum[..., 1:] for spectrum in _spectra(sample))
        least = SMALLEST * target.amax(dim=-1, keepdim=True).clamp(
            min=torch.finfo(torch.float64).tiny
        )
        ratio = 10 * torch.log10(forecast.maximum(least) / target.maximum(least))
        distance = ratio.square().mean(dim=-1).sqrt()
        whole = _whole(sample)
        return Tally(total=torch.where(whole, distance, 0.0), weight=whole.double())


@METRICS.register_module()
class SpectralPowerRatio(SampleMetric):
    """Power of the forecasts over that of the targets, of all leads and samples; best is 1.

    ``spectral_power[k]`` is the ratio at k waves along the longer side; the overall score is that
    of all wavenumbers from 1 on together. Below 1, the forecasts lack this scale. A map with an
    invalid pixel is not counted.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per wavenumber.
    """

    axes = ("class",)
    name = "spectral_power"
    unit = "1"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        whole = _whole(sample)[..., None]
        forecast, target = (
            torch.where(whole, part, 0.0).flatten(0, 1).sum(dim=0) for part in _spectra(sample)
        )
        return Tally(total=forecast, weight=target)

    def overall(self, sums: np.ndarray) -> float:
        return super().overall(sums[:, 1:])

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        return (max(sample["target"].shape[-2:]) // 2 + 1,)
