"""The border of units: data units outside, normalised values inside."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.registry import METHODS


@METHODS.register_module()
class SequencePreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, blank what is not valid, normalise frames; and back again.

    Targets are normalised for training only: a forecast is judged in data units. Only ``frames``
    cross the border; a covariate never comes back out, so its dataset scales it.

    Args:
        mean: Subtracted, one value or one a channel, in data units.
        std: Divided by, one value or one a channel, in data units.

    Shape:
        - frames: (B, T, C, H, W), C being the number of means where there is more than one.

    Raises:
        ValueError: If a std is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, *, mean: float | Sequence[float] = 0.0, std: float | Sequence[float] = 1.0
    ) -> None:
        super().__init__()
        # not persistent: they are in the config, and a checkpoint must not contradict it
        self.register_buffer("mean", _by_channel(mean), persistent=False)
        self.register_buffer("std", _by_channel(std), persistent=False)
        if not bool((self.std > 0).all()):
            raise ValueError(f"std must be positive, got {std}")

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """The same batch on the device, its frames normalised; the one given is left alone."""
        data = self.cast_data(data)
        inputs, targets = dict(data["inputs"]), dict(data.get("data_samples") or {})
        inputs["frames"] = self.normalize(inputs["frames"], inputs.get("valid"))
        if training and "frames" in targets:
            targets["frames"] = self.normalize(targets["frames"], targets.get("valid"))
        return {"inputs": inputs, "data_samples": targets}

    def normalize(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Data units to normalised; pixels without data become 0, the mean."""
        channels = self.mean.shape[0]
        if channels > 1 and frames.shape[-3] != channels:
            raise ShapeError(
                f"the preprocessor has {channels} means, so frames need {channels} channels; "
                f"got frames of shape {tuple(frames.shape)}"
            )
        normalized = (frames.float() - self.mean) / self.std
        # where, not a product: 0 * NaN is NaN
        return normalized if valid is None else torch.where(valid, normalized, 0.0)

    def denormalize(self, frames: Tensor) -> Tensor:
        """Normalised to data units, in float32."""
        if frames.shape[-3] == self.mean.shape[0] or self.mean.shape[0] == 1:
            return frames.float() * self.std + self.mean
        raise ShapeError(
            f"the preprocessor has {self.mean.shape[0]} means, but the forecast has shape "
            f"{tuple(frames.shape)}"
        )


def _by_channel(value: float | Sequence[float]) -> Tensor:
    """One value or one a channel, shaped (C, 1, 1) to broadcast over frames."""
    return torch.tensor(value, dtype=torch.float32).reshape(-1, 1, 1)
