"""Structural similarity, in the three conventions that are called SSIM."""

import torch

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import clipped, value_range
from openstl_ext.metrics.similarity import similarity
from openstl_ext.metrics.windows import Window, gaussian
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample

GAUSSIAN = gaussian(size=11, sigma=1.5)
UNIFORM = Window(size=7, sample_covariance=True)


def _tally(
    sample: Sample,
    *,
    window: Window,
    data_range: float | torch.Tensor,
    clip: tuple[float, float] | None,
    volume: bool = False,
) -> Tally:
    """Similarity summed over wholly valid windows; a frame weighs as many as it has."""
    valid = sample["valid"]
    total, count = similarity(
        clipped(sample["forecast"], clip),
        sample["target"],
        window=window,
        data_range=data_range,
        valid=None if valid.all() else valid,
        volume=volume,
    )
    return Tally(total=total, weight=count)


@METRICS.register_module()
class SSIM(SampleMetric):
    """Structural similarity of Wang et al. 2004: Gaussian window of 11, population covariance.

    Mean over windows, channels, frames and samples. Windows that touch a gap are left out, so a
    frame weighs as many windows as it has.

    Args:
        data_range: Span of the values as the data define it, not as a frame happens to show.
        clip: Bounds that the forecast is held to first; None leaves it as it is.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity
        (2004); scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False).
    """

    name = "ssim"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, data_range: float = 1.0, clip: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.data_range, self.clip = float(data_range), clip

    def measure(self, sample: Sample) -> Tally:
        return _tally(sample, window=GAUSSIAN, data_range=self.data_range, clip=self.clip)

    def convention(self) -> str:
        return f"{super().convention()} Data range {self.data_range:g}, clip {self.clip}."


@METRICS.register_module()
class SSIMOpenSTL(SampleMetric):
    """Structural similarity as in OpenSTL's tables: uniform window of 7, sample covariance.

    Mean over windows, channels, frames and samples. Windows that touch a gap are left out, so a
    frame weighs as many windows as it has. Scores are higher than SSIM's: the published code
    leaves the data range to an old scikit-image, which takes 2 for data in [0, 1].

    Args:
        data_range: Span of the values; 2 is what the published figures were made with.
        clip: Bounds that the forecast (not the truth) is held to first.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (metric), with scikit-image 0.19.
    """

    name = "ssim_openstl"
    unit = "1"
    higher_is_better = True

    def __init__(
        self, *, data_range: float = 2.0, clip: tuple[float, float] | None = (0.0, 1.0)
    ) -> None:
        super().__init__()
        self.data_range, self.clip = float(data_range), clip

    def measure(self, sample: Sample) -> Tally:
        return _tally(sample, window=UNIFORM, data_range=self.data_range, clip=self.clip)

    def convention(self) -> str:
        return f"{super().convention()} Data range {self.data_range:g}, clip {self.clip}."


@METRICS.register_module()
class SSIMSimVPMinimal(SampleMetric):
    """Structural similarity as simvp_minimal has it: the range is that of each true frame.

    Uniform window of 7, sample covariance; from 7 channels on, the window is a cube that extends
    over channels too. Comparable only with simvp_minimal's own figures: a frame of low contrast is
    judged more harshly than the next.

    Args:
        clip: Bounds that the forecast (not the truth) is held to first.

    Source:
        CCU-LANL-AIML/simvp_minimal@be7db3d, ``simvp_minimal/metrics.py`` (calc_ssim), with
        scikit-image 0.24.

    Deviations:
        With 2 to 6 channels upstream raises an error; we judge each channel with a flat window,
        and the range is still that of the whole frame. A true frame of one value has no range,
        for which upstream gives 0 or NaN; we do not count it. Upstream averages over batches, so
        that a short last batch weighs too much; we average over samples.
    """

    name = "ssim_simvp_minimal"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, clip: tuple[float, float] | None = (0.0, 1.0)) -> None:
        super().__init__()
        self.clip = clip

    def measure(self, sample: Sample) -> Tally:
        forecast, target = sample["forecast"].double(), sample["target"].double()
        span = value_range(target, sample["valid"])
        flat = span == 0
        tally = _tally(
            # in float64, as a frame of low contrast makes the stabilising constants tiny
            {"forecast": forecast, "target": target, "valid": sample["valid"]},
            window=UNIFORM,
            data_range=torch.where(flat, 1.0, span),
            clip=self.clip,
            volume=target.shape[1] >= UNIFORM.size,
        )
        return Tally(
            total=torch.where(flat, 0.0, tally.total),
            weight=torch.where(flat, 0.0, tally.weight),
        )

    def convention(self) -> str:
        return f"{super().convention()} Clip {self.clip}."
