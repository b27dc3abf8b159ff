"""A trained method, ready to be asked."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import nn

from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.postprocessing import ConformalPostprocessor
from openstl_ext.registry import METHODS


class Predictor:
    """Put a method's ``answer`` between arrays in data units, without any truth.

    Args:
        method: A method whose answer is frames (it has ``forecast``) or classes (``logits``).
        device: Where it computes, such as ``cpu`` or ``cuda:1``; None takes a GPU if there is one.
        amp: Whether to compute in bfloat16 where that is safe.

    Raises:
        ConfigError: If the device does not exist, or the method answers neither.
    """

    def __init__(self, method: nn.Module, *, device: str | None = None, amp: bool = False) -> None:
        self.device = usable(device)
        self.amp = amp
        self.method: Any = method.to(self.device).eval()
        self.postprocessor: ConformalPostprocessor | None = None
        self.says_labels = hasattr(method, "logits")
        if not self.says_labels and not hasattr(method, "forecast"):
            raise ConfigError(
                f"{type(method).__name__} says neither frames nor classes, so it cannot predict"
            )

    @classmethod
    def load(
        cls, cfg: Config, checkpoint: Path | str, *, device: str | None = None, amp: bool = False
    ) -> "Predictor":
        """Build the method of a config, and nothing else of it, with the weights of a checkpoint.

        Raises:
            ConfigError: If the config has no method.
            CheckpointError: If the file cannot be read, or is the checkpoint of another method.
        """
        if not isinstance(cfg.get("model"), dict):
            raise ConfigError(f"{cfg.get('identity')}: a config needs a model block to predict")
        method = METHODS.build(cfg.model)
        saved = checkpoints.read(checkpoint)
        checkpoints.load_weights(method, saved.get("state_dict", saved))
        return cls(method, device=device, amp=amp)

    def __call__(
        self, inputs: Mapping[str, NDArray[Any]], horizon: int
    ) -> dict[str, NDArray[np.float32]]:
        """Answer a batch.

        Args:
            inputs: Fields as a dataset has them, with a batch axis; NaN in ``frames`` is missing.
            horizon: Number of future frames; not looked at where the answer is classes.

        Returns:
            For frames ``forecast``, (B, horizon, C, H, W), and its quantiles and members, each a
            field of that shape (see ``named_fields``); for classes ``probability`` (B, K, ...).

        Raises:
            ConfigError: If the batch does not fit the memory of the GPU.
            ShapeError: If the net cannot take such frames.
        """
        fields = {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in inputs.items()}
        seen = fields["frames"].isfinite()
        if "valid" in fields or not seen.all():  # also where the scene forgot to say so
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
                f"a batch of {len(seen)} does not fit {self.device}; lower --batch-size"
            ) from None
        except RuntimeError as error:  # what torch and einops raise where a shape does not fit
            first = str(error).strip().partition("\n")[0]
            raise ShapeError(
                f"the net cannot take frames of shape {tuple(fields['frames'].shape[1:])}: {first}"
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
        """Classes from probabilities, as the method decides; (K, H, W) -> (H, W)."""
        given = torch.from_numpy(probability)[None]
        if hasattr(self.method, "labels_of"):
            labels = cast(torch.Tensor, self.method.labels_of(given.to(self.device)))
        else:
            labels = given.argmax(dim=1)
        return labels[0].cpu().numpy()


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
    """The device of a name, if it is there."""
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:  # torch has an assertion for a CPU-only build
        first = str(error).partition("\n")[0]
        raise ConfigError(f"--device {device}: {first}") from error
    return found
