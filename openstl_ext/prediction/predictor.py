"""Predict with a trained method."""

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import nn

from openstl_ext.engine.randomness import sample_seed
from openstl_ext.engine.trained import load_trained_weights
from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.interfaces import check_channels, check_net
from openstl_ext.postprocessing import ConformalPostprocessor
from openstl_ext.registry import DATASETS, METHODS, check_arguments
from openstl_ext.structures import Channel


class Predictor:
    """Apply a method to arrays in data units, without targets.

    Args:
        method: A method that answers with frames or labels.
        device: Where it computes, such as ``cpu`` or ``cuda:1``; None takes a GPU if there is one.
        amp: Whether to compute in bfloat16 where that is safe.
        seed: Seed of the run; with the index of a sample it decides the noise of its forecast.

    Attributes:
        channels: Channels of the training data with their units; empty if they are not known.

    Raises:
        ConfigError: If the device does not exist, or the method predicts nothing.
    """

    def __init__(
        self, method: nn.Module, *, device: str | None = None, amp: bool = False, seed: int = 0
    ) -> None:
        self.device = usable(device)
        self.amp, self.seed = amp, seed
        self.method: Any = method.to(self.device).eval()
        self.postprocessor: ConformalPostprocessor | None = None
        self.channels: list[str] = []
        self.says_labels = self.method.answers == "labels"
        if self.method.answers is None:
            raise ConfigError(
                f"{type(method).__name__} has a loss only and predicts nothing; use the encoder "
                "of its net in a method that predicts frames or labels"
            )

    @classmethod
    def load(
        cls, cfg: Config, checkpoint: Path | str, *, device: str | None = None, amp: bool = False
    ) -> "Predictor":
        """Build only the method of a config, with the weights of a checkpoint.

        Raises:
            ConfigError: If the config has no method.
            CheckpointError: If the file cannot be read, or is the checkpoint of another method.
        """
        if not isinstance(cfg.get("model"), dict):
            raise ConfigError(f"{cfg.get('identity')}: a config needs a model block to predict")
        method = METHODS.build(cfg.model)
        check_net(method)
        trained = load_trained_weights(method, cfg, checkpoint)
        method.frame_rules = rules_of(cfg)
        predictor = cls(method, device=device, amp=amp, seed=cfg.get("seed") or 0)
        predictor.channels = [] if trained is None else trained.channels
        if not method.frame_rules.labels:  # the training data are not there
            method.frame_rules = FrameRules.of(channels_of(predictor.channels))
        return predictor

    def __call__(
        self, inputs: Mapping[str, NDArray[Any]], horizon: int
    ) -> dict[str, NDArray[np.float32]]:
        """Predict a batch.

        Args:
            inputs: Fields as a dataset has them, with a batch axis; NaN in ``frames`` is missing.
                ``index`` (B,) are the indices of the samples; by default their places in the batch.
            horizon: Number of future frames; ignored by methods that predict labels.

        Returns:
            For frames ``forecast``, (B, horizon, C, H, W), and its quantiles and members, each a
            field of that shape (see ``named_fields``); for labels ``probability`` (B, K, ...).

        Raises:
            ConfigError: If the batch does not fit into the memory of the GPU.
            ShapeError: If the net does not accept the shape of the frames.
        """
        fields = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in inputs.items()}
        places = fields.pop("index", torch.arange(len(fields["frames"])))
        fields["seed"] = torch.tensor([sample_seed(self.seed, i) for i in places.tolist()])
        check_channels(getattr(self.method, "net", None), fields["frames"])
        seen = fields["frames"].isfinite()
        if "valid" in fields or not seen.all():  # also if the scene has no such field
            fields["valid"] = seen & fields.get("valid", seen)
        cast_to = torch.autocast(self.device.type, torch.bfloat16) if self.amp else nullcontext()
        try:
            with torch.inference_mode(), cast_to:
                batch = self.method.data_preprocessor({"inputs": fields})["inputs"]
                if self.says_labels:
                    answer = {"probability": self.method.answer(batch)["probability"]}
                else:
                    answer = self._named(self.method.answer(batch, horizon))
        except torch.cuda.OutOfMemoryError:
            raise ConfigError(
                f"a batch of {len(seen)} does not fit into {self.device}; lower --batch-size"
            ) from None
        except RuntimeError as error:  # raised by torch and einops for a wrong shape
            first = str(error).strip().partition("\n")[0]
            raise ShapeError(
                f"the net rejects frames of shape {tuple(fields['frames'].shape[1:])}: {first}"
            ) from error
        return {name: value.float().cpu().numpy() for name, value in answer.items()}

    def _named(self, answer: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Split quantiles and members into fields, then add the calibrated quantiles."""
        fields = named_fields(answer, self.method.quantile_levels)
        if self.postprocessor is not None and "quantiles" in answer:
            ends = (self.postprocessor.lower, self.postprocessor.upper)
            names = quantile_names(self.method.quantile_levels)
            quantiles = self.postprocessor(answer)["quantiles"]
            fields |= {f"{names[end]}_calibrated": quantiles[:, end] for end in ends}
        return fields

    def labels_of(self, probability: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the classes of probabilities, as the method decides; (K, H, W) -> (H, W)."""
        given = torch.from_numpy(probability)[None]
        labels: torch.Tensor = self.method.labels_of(given.to(self.device))
        return labels[0].cpu().numpy()


def dataset_of(cfg: Config) -> tuple[type | None, dict[str, Any]]:
    """Return class and arguments of the test dataset, without the split."""
    loader = cfg.to_dict().get("test_dataloader") or {}
    described = dict(loader.get("dataset") or {})
    if "type" not in described:
        return None, {}
    check_arguments(described, DATASETS)
    dataset = DATASETS.get(described.pop("type"))
    return dataset, {k: v for k, v in described.items() if k != "split"}


def rules_of(cfg: Config) -> FrameRules:
    """Return what the frames of the dataset of a config are like; no data are read."""
    dataset, settings = dataset_of(cfg)
    rules = getattr(dataset, "frame_rules", None)  # a plugin may have another base class
    return FrameRules() if rules is None else rules(settings)


def channels_of(names: Sequence[str]) -> list[Channel]:
    """Return channels as a checkpoint names them, as in ``red (0-1)``."""
    matches = [re.fullmatch(r"(\S+) \((.*)\)", name) for name in names]
    return [Channel(match[1], match[2]) for match in matches if match]


def named_fields(
    answer: Mapping[str, torch.Tensor], levels: Sequence[float]
) -> dict[str, torch.Tensor]:
    """Return ``forecast``, each quantile and each member as a field (B, T, C, H, W)."""
    fields = {"forecast": answer["forecast"]}
    if "quantiles" in answer:
        quantiles = answer["quantiles"].unbind(dim=1)
        fields |= dict(zip(quantile_names(levels), quantiles, strict=True))
    if "ensemble" in answer:
        members = answer["ensemble"].unbind(dim=1)
        fields |= {f"member_{number}": member for number, member in enumerate(members, start=1)}
    return fields


def quantile_names(levels: Sequence[float]) -> list[str]:
    """Return ``lower`` and ``upper`` for two quantiles, else ``q0.1`` ... after their levels."""
    return ["lower", "upper"] if len(levels) == 2 else [f"q{level:g}" for level in levels]


def usable(device: str | None) -> torch.device:
    """Return the device of a name.

    Raises:
        ConfigError: If it does not exist.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:  # torch asserts in a CPU-only build
        first = str(error).partition("\n")[0]
        raise ConfigError(f"--device {device}: {first}; choose another") from error
    return found
