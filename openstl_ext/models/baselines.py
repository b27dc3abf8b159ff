"""Baselines: persistence, linear extrapolation and the mean of the training targets."""

from collections.abc import Iterable
from typing import Annotated, Any

import torch
from msgspec import Meta
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import FittedFrameModel, FrameModel
from openstl_ext.registry import MODELS
from openstl_ext.structures import Targets


@MODELS.register_module()
class Persistence(nn.Module):
    """Forecast the last input frame for every lead.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T, C, H, W), all equal to the last frame.
    """

    interface = FrameModel

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        return frames[:, -1:].expand_as(frames)


@MODELS.register_module()
class LinearExtrapolation(nn.Module):
    """Continue the line through the last frames of each pixel, by least squares.

    Chained outputs continue the same line, so any horizon is possible. Missing values (NaN) are
    left out of the line; a pixel without a value in the last frame stays missing.

    Args:
        num_frames: Input frames that the line is fitted to, the last ones; with fewer, all.
        data_range: Smallest and largest value of the data, to which forecasts are clipped.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ShapeError: If there are fewer than two frames.
    """

    interface = FrameModel

    def __init__(
        self,
        *,
        num_frames: Annotated[int, Meta(ge=2)] = 2,
        data_range: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        if data_range is not None and not data_range[0] < data_range[1]:
            raise ConfigError(f"data_range={tuple(data_range)} must be (lower, upper)")
        self.num_frames, self.data_range = num_frames, data_range

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def forward(self, frames: Tensor) -> Tensor:
        length = frames.shape[1]
        if length < 2:
            raise ShapeError(
                f"LinearExtrapolation needs two input frames or more, got {length}; use more "
                "input frames, or remove LinearExtrapolation from the baselines"
            )
        steps = torch.arange(1, length + 1, device=frames.device).view(1, -1, 1, 1, 1)
        value, slope = _line(frames[:, -self.num_frames :])
        forecast = value + steps * slope
        return forecast if self.data_range is None else forecast.clamp(*self.data_range)


def _line(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return the line of each pixel at the last frame, and its slope; both (B, 1, C, H, W).

    With one known value the slope is 0.
    """
    last = frames[:, -1:]
    time = torch.arange(1 - frames.shape[1], 1, device=frames.device).view(1, -1, 1, 1, 1)
    known = frames.isfinite()
    # differences from the last frame have the digits that its value would take
    change = torch.where(known, frames - last, 0.0)
    count = known.sum(dim=1, keepdim=True).clamp(min=1)
    mean_time = (known * time).sum(dim=1, keepdim=True) / count
    away = torch.where(known, time - mean_time, 0.0)
    mean_change = change.sum(dim=1, keepdim=True) / count
    spread = away.square().sum(dim=1, keepdim=True)
    slope = (away * change).sum(dim=1, keepdim=True) / torch.where(spread > 0, spread, 1.0)
    return last + mean_change - mean_time * slope, slope


@MODELS.register_module()
class TrainingMean(nn.Module):
    """Forecast the mean frame of the training targets (climatology), independent of the input.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T, C, H, W), all frames equal.

    Raises:
        RuntimeError: If it is called before ``fit``.
    """

    interface = FittedFrameModel

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor | None
        self.register_buffer("mean", None)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {}

    def fit(self, samples: Iterable[Targets]) -> None:
        """Compute the mean over samples and time for each pixel, ignoring invalid values.

        Args:
            samples: Targets of one sample each: ``frames`` (T', C, H, W), optionally ``valid``.
        """
        total = count = torch.zeros((), dtype=torch.float64)
        for sample in samples:
            frames = sample["frames"]
            valid = sample.get("valid", torch.ones_like(frames, dtype=torch.bool))
            total = total + torch.where(valid, frames, 0.0).double().sum(dim=0)
            count = count + valid.sum(dim=0)
        self.mean = (total / count.clamp(min=1)).float()

    def forward(self, frames: Tensor) -> Tensor:
        if self.mean is None:
            raise RuntimeError("TrainingMean has no mean; call fit(samples) first")
        return self.mean.to(frames).expand_as(frames)
