"""Baselines: persistence, linear extrapolation and the mean of the training targets."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
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
    """Add the change between the last two frames again for each future step.

    Chained outputs continue the same line, so any horizon is possible.

    Shape:
        - frames: (B, T, C, H, W), T at least 2; returns: (B, T, C, H, W).

    Raises:
        ShapeError: If there are fewer than two frames.
    """

    interface = FrameModel

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
        last, change = frames[:, -1:], frames[:, -1:] - frames[:, -2:-1]
        steps = torch.arange(1, length + 1, device=frames.device).view(1, -1, 1, 1, 1)
        return last + steps * change


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
