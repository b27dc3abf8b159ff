"""Structural similarity in three conventions, all called SSIM in papers."""

import torch

from openstl_ext.metrics import scikit_image
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import clip_range, clipped, value_range
from openstl_ext.metrics.scikit_image import Implementation
from openstl_ext.metrics.similarity import similarity
from openstl_ext.metrics.windows import Window, gaussian
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from openstl_ext.value_types import Positive

GAUSSIAN = gaussian(size=11, sigma=1.5)
UNIFORM = Window(size=7, sample_covariance=True)


def _tally(
    sample: Sample,
    *,
    window: Window,
    data_range: float | torch.Tensor,
    clip: tuple[float, float] | None,
    volume: bool = False,
    implementation: Implementation = "torch",
) -> Tally:
    """Sum the similarity over fully valid windows; the weight of a frame is their number."""
    valid = sample["valid"]
    if implementation == "scikit-image":
        forecast, target = clipped(sample["forecast"], clip), clipped(sample["target"], None)
        span = float(data_range)
        total, count = scikit_image.similarity(
            forecast, target, window=window, data_range=span, valid=valid
        )
        return Tally(total=total, weight=count)
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

    Mean over windows, channels, frames and samples. Windows with an invalid pixel are left out.
    Area weights do not apply.

    Args:
        data_range: Range of the values of the data, not of a single frame.
        clip: Range that the forecast is clipped to; None for no clipping.
        implementation: ``torch`` (ours) or ``scikit-image``.

    Source:
        Wang et al., Image quality assessment: from error visibility to structural similarity
        (2004); scikit-image's structural_similarity(gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False).
    """

    name = "ssim"
    unit = "1"
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
        return _tally(
            sample,
            window=GAUSSIAN,
            data_range=self.data_range,
            clip=self.clip,
            implementation=self.implementation,
        )

    def convention(self) -> str:
        text = f"{super().convention()} Data range {self.data_range:g}, clip {self.clip}."
        return text if self.implementation == "torch" else f"{text} By {self.implementation}."


@METRICS.register_module()
class SSIMOpenSTL(SampleMetric):
    """Structural similarity as in OpenSTL's tables: uniform window of 7, sample covariance.

    Mean over windows, channels, frames and samples. Windows with an invalid pixel are left out.
    Area weights do not apply. Scores are higher than those of SSIM: the published code leaves the
    data range to an old scikit-image, which takes 2 for data in [0, 1].

    Args:
        data_range: Range of the values; the published numbers were computed with 2.
        clip: Range that the forecast (not the target) is clipped to.
        implementation: ``torch`` (ours) or ``scikit-image``.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (metric), with scikit-image 0.19.
    """

    name = "ssim_openstl"
    unit = "1"
    higher_is_better = True

    def __init__(
        self,
        *,
        data_range: Positive = 2.0,
        clip: tuple[float, float] | None = (0.0, 1.0),
        implementation: Implementation = "torch",
    ) -> None:
        super().__init__()
        self.data_range, self.clip = float(data_range), clip_range(clip)
        self.implementation = implementation

    def measure(self, sample: Sample) -> Tally:
        return _tally(
            sample,
            window=UNIFORM,
            data_range=self.data_range,
            clip=self.clip,
            implementation=self.implementation,
        )

    def convention(self) -> str:
        text = f"{super().convention()} Data range {self.data_range:g}, clip {self.clip}."
        return text if self.implementation == "torch" else f"{text} By {self.implementation}."


@METRICS.register_module()
class SSIMSimVPMinimal(SampleMetric):
    """Structural similarity of simvp_minimal: the data range is that of each target frame.

    Uniform window of 7, sample covariance; from 7 channels on, the window is a cube that extends
    over channels too. Comparable only with simvp_minimal's own numbers: the same error lowers the
    score more in a frame of low contrast. Area weights do not apply.

    Args:
        clip: Range that the forecast (not the target) is clipped to.

    Source:
        CCU-LANL-AIML/simvp_minimal@be7db3d, ``simvp_minimal/metrics.py`` (calc_ssim), with
        scikit-image 0.24.

    Deviations:
        With 2 to 6 channels upstream raises an error; here each channel has a flat window, and
        the range is still that of the whole frame. A target frame of one value has no range, for
        which upstream gives 0 or NaN; it is not counted. Upstream averages over batches, so that
        a short last batch has too much weight; here the mean is over samples.
    """

    name = "ssim_simvp_minimal"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, clip: tuple[float, float] | None = (0.0, 1.0)) -> None:
        super().__init__()
        self.clip = clip_range(clip)

    def measure(self, sample: Sample) -> Tally:
        forecast, target = sample["forecast"].double(), sample["target"].double()
        span = value_range(target, sample["valid"])
        flat = span == 0
        tally = _tally(
            # in float64, as a frame of low contrast makes the stabilising constants tiny
            {**sample, "forecast": forecast, "target": target},
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
