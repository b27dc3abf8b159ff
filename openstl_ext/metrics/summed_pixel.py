"""Pixel errors summed over a frame, as video papers report them."""

import math
from abc import ABC

from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import absolute_error, area, frame_sum, squared_error, weighted
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


class SummedPixelMetric(SampleMetric, ABC):
    """Base class of errors summed over a frame: one number per lead, all channels together.

    The divisor of a frame is its valid share, as if invalid pixels had the mean error of the
    valid ones. Area weights count relative to their mean.
    """

    unit = "{unit} per frame"
    higher_is_better = False

    @staticmethod
    def tally(error: Tensor, sample: Sample) -> Tally:
        """Sum an error (T, C, H, W) over the valid pixels of each frame, with their area."""
        full = frame_sum(sample["weight"].expand_as(error))
        share = frame_sum(area(sample)) / full
        mean_weight = full / error[0].numel()
        return Tally(total=frame_sum(weighted(error, sample)) / mean_weight, weight=share)


@METRICS.register_module()
class SummedMSE(SummedPixelMetric):
    """Squared error summed over channels and pixels, mean over samples and frames.

    OpenSTL's ``mse``. Not comparable between resolutions or channel counts; MeanMSE is.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MSE, spatial_norm=False).
    """

    name = "mse_sum"
    unit = "{unit}^2 per frame"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(squared_error(sample), sample)


@METRICS.register_module()
class SummedMAE(SummedPixelMetric):
    """Absolute error summed over channels and pixels, mean over samples and frames.

    OpenSTL's ``mae``. Not comparable between resolutions or channel counts; MeanMAE is.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MAE, spatial_norm=False).
    """

    name = "mae_sum"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(absolute_error(sample), sample)


@METRICS.register_module()
class SummedRMSE(SummedPixelMetric):
    """Root of the summed squared error over the whole test set (not a mean of roots).

    OpenSTL's ``rmse``: the square root of SummedMSE, of all leads or of one.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (RMSE, spatial_norm=False).
    """

    name = "rmse_sum"

    def measure(self, sample: Sample) -> Tally:
        return self.tally(squared_error(sample), sample)

    def finish(self, mean: float) -> float:
        return math.sqrt(mean)
