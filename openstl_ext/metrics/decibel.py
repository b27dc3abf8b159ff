"""Signal-to-noise ratio and peak signal-to-noise ratio, in decibels."""

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, as_float, clip_range, clipped, frame_sum, weighted
from openstl_ext.metrics.scikit_image import Implementation, peak_ratio
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from openstl_ext.value_types import Positive

CEILING = 100.0
"""Largest ratio that a frame counts with, in dB.

A frame without error has an infinite ratio and would make the mean infinite. Without such frames
the better model would be scored on its hardest frames only. 100 dB is an error of 1e-5 of the
signal, about the resolution of float32 frames.
"""


def decibels(signal: Tensor | float, noise: Tensor) -> Tensor:
    """Compute the ratio of two mean squares in dB, at most CEILING; NaN stays NaN."""
    return (10 * torch.log10(signal / noise)).clamp(max=CEILING)


def _mean_squares(
    sample: Sample, clip: tuple[float, float] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the mean square of target and error over the valid pixels of each frame.

    Also returns the area of these pixels, 0 where there are none.
    """
    target = sample["target"]
    error = clipped(sample["forecast"], clip) - as_float(target)
    total = frame_sum(area(sample))
    known = torch.where(total > 0, total, 1.0)
    signal = frame_sum(weighted(target.double().square(), sample)) / known
    noise = frame_sum(weighted(error.double().square(), sample)) / known
    return signal, noise, total


def _num_perfect(tallies: np.ndarray) -> int:
    """Count the frames at the ceiling."""
    return int(((tallies[:, TOTAL] >= CEILING) & (tallies[:, WEIGHT] > 0)).sum())


@METRICS.register_module()
class PSNR(SampleMetric):
    """Peak signal-to-noise ratio of a frame, at most 100 dB, mean over samples and frames.

    A frame without error counts 100 dB (OpenSTL's mean becomes infinite); ``num_perfect`` is the
    number of such frames. A frame without a valid pixel is not counted.

    Args:
        data_range: Peak value of the data.
        clip: Range that the forecast (not the target) is clipped to; None for no clipping.
            OpenSTL's tables use (0, 1).
        implementation: ``torch`` (ours) or ``scikit-image``, to which area weights do not apply.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (PSNR, called frame by frame).

    Deviations:
        The ceiling. The psnr of simvp_minimal is one ratio over a batch with a peak of 255 for data
        in [0, 1], averaged over batches; it depends on the batch size and has no counterpart.
    """

    name = "psnr"
    unit = "dB"
    higher_is_better = True

    def __init__(
        self,
        *,
        data_range: Positive = 1.0,
        clip: tuple[float, float] | None = None,
        implementation: Implementation = "torch",
    ) -> None:
        super().__init__()
        self.data_range, self.clip = float(data_range), clip_range(clip)
        self.implementation = implementation

    def measure(self, sample: Sample) -> Tally:
        _, noise, total = _mean_squares(sample, self.clip)
        scored = total > 0
        ratio = decibels(self.data_range**2, noise)
        if self.implementation == "scikit-image":
            forecast = clipped(sample["forecast"], self.clip)
            ratio = peak_ratio(forecast, sample, self.data_range).clamp(max=CEILING)
        return Tally(total=torch.where(scored, ratio, 0.0), weight=scored.double())

    def convention(self) -> str:
        text = f"{super().convention()} Peak {self.data_range:g}, clip {self.clip}."
        return text if self.implementation == "torch" else f"{text} By {self.implementation}."

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        return {"num_perfect": _num_perfect(tallies)}


@METRICS.register_module()
class SNR(SampleMetric):
    """Mean square of the target over that of the error, at most 100 dB, mean over frames.

    A frame without error counts 100 dB; ``num_perfect`` is the number of such frames. A frame
    whose target is zero everywhere has no signal and is not counted; nor is a frame without a
    valid pixel.

    Args:
        clip: Range that the forecast (not the target) is clipped to; None for no clipping.
            OpenSTL's tables use (0, 1).

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (SNR, called frame by frame).

    Deviations:
        The ceiling, and frames without a signal, for which upstream gives minus infinity or NaN.
    """

    name = "snr"
    unit = "dB"
    higher_is_better = True

    def __init__(self, *, clip: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.clip = clip_range(clip)

    def measure(self, sample: Sample) -> Tally:
        signal, noise, total = _mean_squares(sample, self.clip)
        scored = (total > 0) & (signal != 0)
        ratio = decibels(signal, noise)
        return Tally(total=torch.where(scored, ratio, 0.0), weight=scored.double())

    def convention(self) -> str:
        return f"{super().convention()} Clip {self.clip}."

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        return {"num_perfect": _num_perfect(tallies)}
