"""The things that cross borders between packages."""

from dataclasses import dataclass
from typing import TypedDict

from torch import Tensor


class Inputs(TypedDict, total=False):
    """What a method may look at.

    Fields:
        frames: Past frames (B, T, C, H, W), oldest first.
        valid: True where ``frames`` holds data, same shape; absent means everywhere.
        static: Covariates that do not change (B, C', H, W), scaled by the dataset.
        lonlat: Longitude and latitude in degrees (B, 2, H, W).
        bands: Which spectral band each channel is (B, T, C).
    """

    frames: Tensor
    valid: Tensor
    static: Tensor
    lonlat: Tensor
    bands: Tensor


class Targets(TypedDict, total=False):
    """What came true.

    Fields:
        frames: Future frames (B, T', C, H, W), earliest first.
        valid: True where ``frames`` holds data, same shape; absent means everywhere.
        labels: Class indices, (B, H, W) or (B,).
    """

    frames: Tensor
    valid: Tensor
    labels: Tensor


class Item(TypedDict):
    """What ``dataset[i]`` returns: the fields above without the batch axis."""

    inputs: Inputs
    data_samples: Targets


class Sample(TypedDict, total=False):
    """One forecast beside its truth, in data units, float32, on the device of the forecast.

    Fields:
        forecast: (T', C, H, W).
        target: (T', C, H, W).
        valid: True where the target exists, same shape; always there.
    """

    forecast: Tensor
    target: Tensor
    valid: Tensor


@dataclass(frozen=True, kw_only=True)
class Metainfo:
    """What a dataset says about itself.

    Args:
        name: Short name, as it stands in tables.
        channels: Name of each channel of a frame.
        unit: Unit of the values as yielded.
        lead: Length of one time step and its unit, as in ``(30, "min")``.
        synthetic: True if the data were made up, so that no table shows them as observations.
    """

    name: str
    channels: tuple[str, ...]
    unit: str = "1"
    lead: tuple[float, str] = (1, "frame")
    synthetic: bool = False
