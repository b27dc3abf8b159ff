"""Data structures that packages exchange: inputs, targets, samples, metainfo."""

from dataclasses import dataclass
from typing import TypedDict

from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.score_name import is_part


class Inputs(TypedDict, total=False):
    """Inputs of a method, with a batch axis.

    Fields:
        frames: Past frames (B, T, C, H, W), oldest first.
        valid: True where ``frames`` holds data, same shape; absent means everywhere.
        dynamic: Covariates of the same steps (B, T, C', H, W); NaN where there is no data.
        static: Covariates that do not change (B, C', H, W); NaN where there is no data.
        lonlat: Longitude and latitude in degrees (B, 2, H, W).
        bands: Index of the spectral band of each channel (B, T, C); -1 for an absent one.
        features: Features of an encoder (B, D), in place of ``frames``.
        times: Time of each target frame (B, T'), seconds since 1970, int64; for baselines only.
        seed: Seed of each sample (B,), int64; only in evaluation, prediction and profiling. A
            stochastic method draws the noise of a sample from it.
    """

    frames: Tensor
    valid: Tensor
    dynamic: Tensor
    static: Tensor
    lonlat: Tensor
    bands: Tensor
    features: Tensor
    times: Tensor
    seed: Tensor


class Targets(TypedDict, total=False):
    """Observed values that a method is trained on or evaluated against.

    Fields:
        frames: Future frames (B, T', C, H, W), earliest first.
        labels: Class indices, (B, H, W) or (B,), or 0 or 1 for each class (B, K), int64; any
            class where there is no label.
        valid: True where the target exists, same shape; absent means everywhere.
        weight: Area weight of each pixel (B, H, W); absent means 1.
        times: Time of each frame (B, T'), seconds since 1970, int64; for baselines only.
    """

    frames: Tensor
    valid: Tensor
    weight: Tensor
    times: Tensor
    labels: Tensor


class Item(TypedDict):
    """Return value of ``dataset[i]``: the fields above without the batch axis."""

    inputs: Inputs
    data_samples: Targets


class Sample(TypedDict, total=False):
    """One prediction and its target, in data units, float32, on the device of the prediction.

    Fields:
        target: Observed frames (T', C, H, W), or class indices (H, W) or ().
        valid: True where the target exists, same shape; always present.
        weight: Area weight of each pixel (H, W); always present, 1 without area weights.
        last: Last input frame (C, H, W), from which change is counted.
        forecast: Predicted frames (T', C, H, W): one value per pixel.
        quantiles: Predicted quantiles (Q, T', C, H, W), in the order of ``quantile_levels``.
        quantile_levels: Level of each quantile (Q,), between 0 and 1, ascending.
        ensemble: Equally likely forecasts (E, T', C, H, W).
        labels: Predicted class indices, shaped like the target.
        probability: Probability of each class (K, H, W) or (K,).
    """

    target: Tensor
    valid: Tensor
    weight: Tensor
    last: Tensor
    forecast: Tensor
    quantiles: Tensor
    quantile_levels: Tensor
    ensemble: Tensor
    labels: Tensor
    probability: Tensor


@dataclass(frozen=True)
class Channel:
    """Name, unit and vertical level of one channel of a frame.

    Args:
        name: Short name, such as ``t2m``.
        unit: Unit of the values that the dataset returns; ``1`` for a number without a unit.
        level: Vertical level, such as 500 for 500 hPa; None where there is none.
    """

    name: str
    unit: str = "1"
    level: float | None = None

    @property
    def label(self) -> str:
        """Name followed by the level, as in ``z500``; scores and figures use it."""
        return self.name if self.level is None else f"{self.name}{self.level:g}"

    def __str__(self) -> str:
        """Label and unit, as in ``red (0-1)``."""
        return f"{self.label} ({self.unit})"


@dataclass(frozen=True, kw_only=True)
class Metainfo:
    """Description of a dataset that metrics, tables and figures read.

    Args:
        name: Short name for tables.
        channels: Channels of a frame, in order.
        lead: Length of one time step and its unit, as in ``(30, "min")``.
        synthetic: True if the data are generated, so that no table shows them as observations.
        classes: Name of each class, if the targets are labels.
        years: Year of each input frame, if the steps are years; they may have gaps.

    Raises:
        ConfigError: If a channel is not a ``Channel``, or two labels are equal, or a label is
            not a single word without ``@``, ``[`` and ``]``.
    """

    name: str
    channels: tuple[Channel, ...]
    lead: tuple[float, str] = (1, "frame")
    synthetic: bool = False
    classes: tuple[str, ...] = ()
    years: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for channel in self.channels:
            if not isinstance(channel, Channel):
                raise ConfigError(
                    f"dataset {self.name}: channels are Channel(name, unit), got {channel!r}"
                )
            if not is_part(channel.label):
                raise ConfigError(
                    f"dataset {self.name}: channel {channel.label!r} must be one word without "
                    "'@', '[' and ']', because score names contain it"
                )
        if len(set(self.labels)) < len(self.labels):
            raise ConfigError(f"dataset {self.name}: two channels are called alike: {self.labels}")

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each channel."""
        return tuple(channel.label for channel in self.channels)

    @property
    def unit(self) -> str | None:
        """Unit of all channels; None where they differ."""
        units = {channel.unit for channel in self.channels} or {"1"}
        return units.pop() if len(units) == 1 else None
