"""The things that cross borders between packages."""

from dataclasses import dataclass
from typing import TypedDict

from torch import Tensor


class Inputs(TypedDict, total=False):
    """What a method may look at.

    Fields:
        frames: Past frames (B, T, C, H, W), oldest first.
        valid: True where ``frames`` holds data, same shape; absent means everywhere.
        dynamic: Covariates of the same steps (B, T, C', H, W); NaN where there is no data.
        static: Covariates that do not change (B, C', H, W); NaN where there is no data.
        lonlat: Longitude and latitude in degrees (B, 2, H, W).
        bands: Which spectral band each channel is (B, T, C).
        seed: Seed of each sample (B,), int64; only in evaluation, prediction and profiling. A
            stochastic method draws the noise of a sample from it.
    """

    frames: Tensor
    valid: Tensor
    dynamic: Tensor
    static: Tensor
    lonlat: Tensor
    bands: Tensor
    seed: Tensor


class Targets(TypedDict, total=False):
    """What came true.

    Fields:
        frames: Future frames (B, T', C, H, W), earliest first.
        labels: Class indices, (B, H, W) or (B,), int64; any class where there is no truth.
        valid: True where the truth is known, shaped like it; absent means everywhere.
    """

    frames: Tensor
    valid: Tensor
    labels: Tensor


class Item(TypedDict):
    """What ``dataset[i]`` returns: the fields above without the batch axis."""

    inputs: Inputs
    data_samples: Targets


class Sample(TypedDict, total=False):
    """One answer beside its truth, in data units, float32, on the device of the answer.

    Fields:
        target: What came true: frames (T', C, H, W), or class indices (H, W) or ().
        valid: True where the target exists, same shape; always there.
        forecast: Frames (T', C, H, W).
        lower: Lower end of an interval, shaped like the forecast.
        upper: Upper end of it.
        last: The last frame that was known (C, H, W), from which change is counted.
        labels: Class indices as answered, shaped like the target.
        probability: Of each class (K, H, W) or (K,).
    """

    target: Tensor
    valid: Tensor
    forecast: Tensor
    lower: Tensor
    upper: Tensor
    last: Tensor
    labels: Tensor
    probability: Tensor


@dataclass(frozen=True, kw_only=True)
class Metainfo:
    """What a dataset says about itself.

    Args:
        name: Short name, as it stands in tables.
        channels: Name of each channel of a frame.
        unit: Unit of the values as yielded.
        lead: Length of one time step and its unit, as in ``(30, "min")``.
        synthetic: True if the data were made up, so that no table shows them as observations.
        classes: Name of each class, where the truth is labels.
        years: Of each frame of the inputs, where the steps are years, with gaps perhaps.
    """

    name: str
    channels: tuple[str, ...]
    unit: str = "1"
    lead: tuple[float, str] = (1, "frame")
    synthetic: bool = False
    classes: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
