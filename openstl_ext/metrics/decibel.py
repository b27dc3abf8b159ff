"""Errors on the scale of the logarithm: peak and plain signal-to-noise ratio."""

import numpy as np
import torch
from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import clipped, frame_sum, sum_over_valid
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

CEILING = 100.0
"""Decibels at which a frame counts as perfect.

A perfect frame is infinitely many dB and would make any mean infinite. Leaving it out would punish
the better model, whose hardest frames alone were then judged. So each frame counts at most this:
an error of 1e-5 of the signal, where float32 frames end anyway.
"""


def decibels(signal: Tensor | float, noise: Tensor) -> Tensor:
    """Ratio of two mean squares in dB, at most CEILING; NaN stays NaN."""
    return (10 * torch.log10(signal / noise)).clamp(max=CEILING)


def _mean_squares(
    sample: Sample, clip: tuple[float, float] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean square over the valid pixels of each frame: of truth and error; and their number."""
    target, valid = sample["target"], sample["valid"]
    error = clipped(sample["forecast"], clip) - target
    count = frame_sum(valid)
    known = count.clamp(min=1)
    signal = sum_over_valid(target.double().square(), valid) / known
    noise = sum_over_valid(error.double().square(), valid) / known
    return signal, noise, count


def _num_perfect(tallies: np.ndarray) -> int:
    """Frames at the ceiling."""
    return int(((tallies[:, TOTAL] >= CEILING) & (tallies[:, WEIGHT] > 0)).sum())


@METRICS.register_module()
class PSNR(SampleMetric):
    """Peak signal-to-noise ratio of a frame, at most 100 dB, mean over samples and frames.

    A frame without error counts 100 dB (OpenSTL's mean becomes infinite); how many do is told as
    ``num_perfect``. A frame without a valid pixel is not counted.

    Args:
        data_range: The peak, as the data define it.
        clip: Bounds that the forecast (not the truth) is held to first; None leaves it as it is.
            OpenSTL's tables hold it to (0, 1).

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (PSNR, called frame by frame).

    Deviations:
        The ceiling.
    """

    name = "psnr"
    unit = "dB"
    higher_is_better = True

    def __init__(self, *, data_range: float = 1.0, clip: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.data_range, self.clip = float(data_range), clip

    def measure(self, sample: Sample) -> Tally:
        _, noise, count = _mean_squares(sample, self.clip)
        judged = count > 0
        ratio = decibels(self.data_range**2, noise)
        return Tally(total=torch.where(judged, ratio, 0.0), weight=judged.double())

    def convention(self) -> str:
        return f"{super().convention()} Peak {self.data_range:g}, clip {self.clip}."

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        return {"num_perfect": _num_perfect(tallies)}


@METRICS.register_module()
class SNR(SampleMetric):
    """Mean square of the truth over that of the error, at most 100 dB, mean over frames.

    A frame without error counts 100 dB; how many do is told as ``num_perfect``. A frame whose
    truth is zero everywhere has no signal and is not counted: which ones these are does not depend
    on the forecast. Nor is a frame without a valid pixel.

    Args:
        clip: Bounds that the forecast (not the truth) is held to first; None leaves it as it is.
            OpenSTL's tables hold it to (0, 1).

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
        self.clip = clip

    def measure(self, sample: Sample) -> Tally:
        signal, noise, count = _mean_squares(sample, self.clip)
        judged = (count > 0) & (signal != 0)
        ratio = decibels(signal, noise)
        return Tally(total=torch.where(judged, ratio, 0.0), weight=judged.double())

    def convention(self) -> str:
        return f"{super().convention()} Clip {self.clip}."

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        return {"num_perfect": _num_perfect(tallies)}
