"""Power of frames by spatial scale: which scales a forecast has, and which it has lost."""

from abc import ABC
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

SMALLEST = 1e-12
"""Power below which two frames are equally empty, relative to the largest of the target."""


@lru_cache(maxsize=16)
def _rings(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Return the coefficients of each ring (K, M), and their number (K,).

    Shorter rows are filled with H * W, the place of a coefficient without power. A scatter into
    rings would add in another order in each call on a GPU.
    """
    longest = max(height, width)
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in (height, width))
    radius = torch.round(longest * torch.hypot(rows[:, None], columns)).long().flatten()
    rings = [torch.nonzero(radius == k).flatten() for k in range(longest // 2 + 1)]
    index = torch.nn.utils.rnn.pad_sequence(rings, batch_first=True, padding_value=height * width)
    return index, torch.tensor([len(ring) for ring in rings], dtype=torch.float64)


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
    index, number = (part.to(frames.device) for part in _rings(height, width))
    power = torch.fft.fft2(frames.double()).abs().square().flatten(-2) / (height * width)
    power = torch.cat([power, power.new_zeros(*power.shape[:-1], 1)], dim=-1)
    return power[..., index].sum(dim=-1) / number


class SpectralMetric(SampleMetric, ABC):
    """Base class of scores of radially averaged spectra, from wavenumber 1 on.

    A frame with an invalid pixel does not count, because a gap changes every coefficient; nor does
    a target of one value, which has no scales. ``num_unscored_frames`` counts both.
    """

    @staticmethod
    def spectra(sample: Sample) -> tuple[Tensor, Tensor, Tensor]:
        """Return the spectra of forecast and target (T, C, K), and which maps count (T, C).

        Raises:
            ShapeError: If frames have one pixel only.
        """
        valid = sample["valid"]
        if max(valid.shape[-2:]) < 2:
            raise ShapeError(
                "a frame of one pixel has no spectrum; remove the metrics LogSpectralDistance and "
                "SpectralPowerRatio"
            )
        forecast, target = (
            torch.where(valid, sample[side], 0.0).double()  # type: ignore[literal-required]
            for side in ("forecast", "target")
        )
        flat = target.flatten(2).amax(dim=2) == target.flatten(2).amin(dim=2)
        # centred, so that rounding of a large mean leaves no power at other wavenumbers
        found = (
            part - part.mean(dim=-1, keepdim=True).mean(dim=-2, keepdim=True)
            for part in (forecast, target)
        )
        powers = [radial_spectrum(part)[..., 1:] for part in found]
        return powers[0], powers[1], valid.flatten(2).all(dim=2) & ~flat

    def convention(self) -> str:
        return f"{super().convention()} Frames with an invalid pixel or a flat target do not count."


@METRICS.register_module()
class LogSpectralDistance(SpectralMetric):
    """Distance of the spectra of forecast and target in dB, mean over maps and samples.

    The root of the mean over wavenumbers of the squared difference of the radially averaged power
    in decibels. A forecast that is blurred is far away even if its squared error is small. A map
    with an invalid pixel or a target of one value is not counted. Power below 1e-12 of the largest
    one of the target counts as that.

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
        forecast, target, scored = self.spectra(sample)
        least = SMALLEST * target.amax(dim=-1, keepdim=True)
        ratio = 10 * torch.log10(forecast.maximum(least) / target.maximum(least))
        distance = ratio.square().mean(dim=-1).sqrt()
        return Tally(total=torch.where(scored, distance, 0.0), weight=scored.double())


@METRICS.register_module()
class SpectralPowerRatio(SpectralMetric):
    """Power of the forecasts over that of the targets, of all samples; best is 1.

    ``spectral_power[k]`` is the ratio of the octave from k to 2k - 1 waves along the longer side,
    ``spectral_power[k]@3`` that of one lead; the overall score is that of all wavenumbers. The
    power of a wavenumber is the mean of its ring, and those of an octave are added. Below 1, the
    forecasts lack this scale. A frame with an invalid pixel or a target of one value is not
    counted.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and octave.
    """

    axes = ("lead", "band")
    name = "spectral_power"
    unit = "1"
    higher_is_better = None

    def measure(self, sample: Sample) -> Tally:
        forecast, target, scored = self.spectra(sample)
        total, weight = (
            torch.where(scored[..., None], part, 0.0).sum(dim=1) for part in (forecast, target)
        )
        return Tally(total=_in_octaves(total), weight=_in_octaves(weight))

    def _parts(self, number: int) -> tuple[str, ...]:
        return tuple(str(2**octave) for octave in range(number))

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        return (len(sample["target"]), len(octaves(max(sample["target"].shape[-2:]) // 2)))


def octaves(number: int) -> Sequence[slice]:
    """Return the places of the wavenumbers 1, 2 to 3, 4 to 7 ... among those from 1 to a number."""
    return [slice(2**k - 1, min(2 ** (k + 1) - 1, number)) for k in range(number.bit_length())]


def _in_octaves(power: Tensor) -> Tensor:
    """Add the power of each octave, (T, K) to (T, octaves)."""
    return torch.stack([power[:, part].sum(dim=1) for part in octaves(power.shape[1])], dim=1)
