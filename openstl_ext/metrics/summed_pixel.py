"""Pixel errors summed over a frame, as video papers report them."""

import math

from torch import Tensor

from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import absolute_error, frame_sum, squared_error, sum_over_valid
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


def _share(sample: Sample) -> Tensor:
    """The weight of each frame: the share of it that is valid."""
    valid = sample["valid"]
    return frame_sum(valid) / valid[0].numel()


@METRICS.register_module()
class SummedMSE(SampleMetric):
    """Squared error summed over channels and pixels, mean over samples and frames.

    What OpenSTL calls ``mse``. Not comparable between resolutions or channel counts; MeanMSE is.
    A frame with gaps weighs as much as its valid share, as if the gaps erred like the rest.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MSE, spatial_norm=False).
    """

    name = "mse_sum"
    unit = "squared data unit per frame"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(squared_error(sample), sample["valid"])
        return Tally(total=total, weight=_share(sample))


@METRICS.register_module()
class SummedMAE(SampleMetric):
    """Absolute error summed over channels and pixels, mean over samples and frames.

    What OpenSTL calls ``mae``. Not comparable between resolutions or channel counts; MeanMAE is.
    A frame with gaps weighs as much as its valid share, as if the gaps erred like the rest.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (MAE, spatial_norm=False).
    """

    name = "mae_sum"
    unit = "data unit per frame"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(absolute_error(sample), sample["valid"])
        return Tally(total=total, weight=_share(sample))


@METRICS.register_module()
class SummedRMSE(SampleMetric):
    """Root of the summed squared error over the whole test set (not a mean of roots).

    What OpenSTL calls ``rmse``: the square root of SummedMSE, of all leads or of one.

    Source:
        chengtan9907/OpenSTL@c74deb5, ``core/metrics.py`` (RMSE, spatial_norm=False).
    """

    name = "rmse_sum"
    unit = "data unit per frame"
    higher_is_better = False

    def measure(self, sample: Sample) -> Tally:
        total = sum_over_valid(squared_error(sample), sample["valid"])
        return Tally(total=total, weight=_share(sample))

    def finish(self, mean: float) -> float:
        return math.sqrt(mean)
