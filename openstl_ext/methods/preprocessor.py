"""Normalise batches and denormalise forecasts."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from openstl_ext.errors import CheckpointError, ConfigError, DatasetNotFoundError, ShapeError
from openstl_ext.registry import METHODS
from openstl_ext.statistics import GROUPS, Statistics

COVARIATES = tuple(group for group in GROUPS if group != "frames")


@METHODS.register_module()
class SequencePreprocessor(BaseDataPreprocessor):
    """Move a batch to the device, set invalid pixels to 0 and normalise; denormalise forecasts.

    Targets are normalised for training only: a forecast is evaluated in data units. Only
    ``frames`` are denormalised. Covariates are normalised where the statistics include them; their
    NaN become 0, the mean.

    Args:
        mean: Mean that is subtracted from frames, one value or one per channel, in data units.
        std: Standard deviation, one value or one per channel, in data units.
        statistics: File of means and deviations that a prepare command has written. They become
            part of the checkpoint, so that a forecast needs no file.
        channels: With statistics, the names of the channels of each field, in order, as in
            ``dict(frames=["red", "nir"])``.
        prepare: Command that writes the file, for the error message.

    Shape:
        - frames: (B, T, C, H, W), C being the number of means where there is more than one.
        - dynamic: (B, T, C', H, W); static: (B, C', H, W).

    Raises:
        ConfigError: If both numbers and a file are given, or a file without channels.
        DataError: If the file has other channels, or another order.
        ValueError: If a std is not positive.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        mean: float | Sequence[float] = 0.0,
        std: float | Sequence[float] = 1.0,
        statistics: str | None = None,
        channels: Mapping[str, Sequence[str]] | None = None,
        prepare: str = "openstl-ext data --help",
    ) -> None:
        super().__init__()
        self.statistics, self.prepare = statistics, prepare
        self.covariates: tuple[str, ...] = ()
        if statistics is None:
            # not persistent: they are in the config, and a checkpoint must not contradict it
            self.register_buffer("mean", _by_channel(mean), persistent=False)
            self.register_buffer("std", _by_channel(std), persistent=False)
            if not bool((self.std > 0).all()):
                raise ValueError(f"std must be positive, got {std}")
        else:
            if (mean, std) != (0.0, 1.0) or "frames" not in (channels or {}):
                raise ConfigError("with statistics give channels=dict(frames=[...]), not mean, std")
            self._register(statistics, channels or {})

    def _register(self, path: str, channels: Mapping[str, Sequence[str]]) -> None:
        """Register buffers of every field; NaN until the file or a checkpoint fills them."""
        try:
            read = Statistics.read(path, prepare=self.prepare)
        except DatasetNotFoundError:
            read = None  # loaded weights include the statistics
        self.covariates = tuple(group for group in COVARIATES if channels.get(group))
        for group in ("frames", *self.covariates):
            names, prefix = channels[group], "" if group == "frames" else f"{group}_"
            found = read.of(group, names, path=path) if read else None
            mean = found.mean if found else [torch.nan] * len(names)
            std = found.std if found else [torch.nan] * len(names)
            self.register_buffer(f"{prefix}mean", _by_channel(mean))
            self.register_buffer(f"{prefix}std", _by_channel(std))
        order = repr({group: list(channels[group]) for group in sorted(channels)})
        digest = hashlib.sha256(order.encode()).digest()[:8]
        self.register_buffer("channels_digest", torch.tensor(list(digest), dtype=torch.uint8))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        """Raise an error for weights that were trained with other channels."""
        theirs = state_dict.get(f"{prefix}channels_digest")
        ours = getattr(self, "channels_digest", None)
        if theirs is not None and ours is not None and not torch.equal(theirs.cpu(), ours.cpu()):
            raise CheckpointError(
                "these weights were trained with other channels, or with another order; set "
                "data_preprocessor.channels as in training"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return a copy of the batch on the device, with its fields normalised.

        Raises:
            DatasetNotFoundError: If there is neither a file of statistics nor loaded weights.
            ConfigError: If statistics are used, but not for a covariate of the batch: it would
                enter the net in data units, thousands of metres beside fractions.
        """
        if self.statistics is not None and bool(self.mean.isnan().any()):
            raise DatasetNotFoundError(self.statistics, prepare=self.prepare)
        data = self.cast_data(data)
        inputs, targets = dict(data["inputs"]), dict(data.get("data_samples") or {})
        if "features" not in inputs:
            inputs["frames"] = self.normalize(inputs["frames"], inputs.get("valid"))
        for group in COVARIATES:
            if group not in inputs:
                continue
            if self.statistics is not None and group not in self.covariates:
                raise ConfigError(
                    f"the data have {group} covariates, but data_preprocessor.channels names none; "
                    f"name them, as in channels=dict(frames=[...], {group}=[...])"
                )
            inputs[group] = self._covariate(group, inputs[group])
        if training and "frames" in targets:
            targets["frames"] = self.normalize(targets["frames"], targets.get("valid"))
        return {"inputs": inputs, "data_samples": targets}

    def _covariate(self, group: str, values: Tensor) -> Tensor:
        """Normalise where there are statistics; return 0 where there is no data."""
        values = values.float()
        if group in self.covariates:
            mean, std = getattr(self, f"{group}_mean"), getattr(self, f"{group}_std")
            if values.shape[-3] != mean.shape[0]:
                raise ShapeError(
                    f"{group} has shape {tuple(values.shape)}, but the statistics have "
                    f"{mean.shape[0]} channels"
                )
            values = (values - mean) / std
        return torch.where(values.isfinite(), values, 0.0)

    def normalize(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Convert data units to normalised values; pixels without data become 0, the mean."""
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
        """Convert normalised values to data units, in float32.

        Shape:
            - frames: (..., C, H, W), with any axes before the channel; returns: the same.
        """
        if frames.shape[-3] == self.mean.shape[0] or self.mean.shape[0] == 1:
            return frames.float() * self.std + self.mean
        raise ShapeError(
            f"the preprocessor has {self.mean.shape[0]} means, but the forecast has shape "
            f"{tuple(frames.shape)}"
        )


def _by_channel(value: float | Sequence[float]) -> Tensor:
    """Return one value, or one per channel, of shape (C, 1, 1), which broadcasts over frames."""
    return torch.tensor(value, dtype=torch.float32).reshape(-1, 1, 1)
