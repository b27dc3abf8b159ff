"""Checks of a method whose parts are loaded from trainings and evaluated as they are."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import CheckpointError, ConfigError
from openstl_ext.weight_names import weights_in

SCALING = {"mean": 0.0, "std": 1.0}
"""Buffers of a preprocessor, and their values where frames are not normalised."""


def check_all_loaded(method: nn.Module, parts: Collection[str]) -> None:
    """Reject weights that no checkpoint is loaded into: a test would score random numbers.

    Args:
        method: A method that is tested without a training.
        parts: Dotted names of the parts that are loaded.

    Raises:
        ConfigError: If a weight belongs to none of them.
    """
    for name, _ in method.named_parameters():
        if not any(name.startswith(f"{part}.") for part in parts):
            inner = name.split(".")
            place = ".".join(inner[: 2 if inner[0] == "others" else 1])
            raise ConfigError(
                f"nothing is trained, and no checkpoint is loaded into {place!r} of the method, so "
                f"its weights are random; add a PretrainedHook with part={place!r}, or leave the "
                "part out"
            )


def check_normalisation(saved: Mapping[str, Any], method: Any, path: Path | str) -> None:
    """Reject weights of a net whose training has normalised frames by other numbers.

    Args:
        saved: Content of the checkpoint; one that does not state its normalisation is accepted.
        method: The method that a part of is loaded.
        path: File of the checkpoint, for the message.

    Raises:
        CheckpointError: If mean or standard deviation differ.
    """
    weights, meta = weights_in(saved, path), saved.get("meta")
    config = meta.get("config") if isinstance(meta, Mapping) else None
    model = config.get("model") if isinstance(config, Mapping) else None
    block = (model.get("data_preprocessor") or {}) if isinstance(model, Mapping) else None
    for name, neutral in SCALING.items():
        theirs = weights.get(f"data_preprocessor.{name}")
        if theirs is None:
            if block is None:
                return
            theirs = torch.tensor(block.get(name, neutral))
        ours = getattr(method.data_preprocessor, name, torch.tensor(neutral))
        if not _equal(theirs, ours):
            raise CheckpointError(
                f"{path} was trained with {name}={_shown(theirs)} of the data_preprocessor, but "
                f"the config has {_shown(ours)}; set model.data_preprocessor as in the training"
            )


def _equal(one: Tensor, other: Tensor) -> bool:
    pair = [values.detach().cpu().double().flatten() for values in (one, other)]
    if {len(values) for values in pair} - {1, max(map(len, pair))}:
        return False
    first, second = torch.broadcast_tensors(*pair)
    return torch.allclose(first, second, rtol=1e-6, atol=0)


def _shown(values: Tensor) -> str:
    numbers = [f"{value:.6g}" for value in values.flatten().tolist()]
    return ", ".join(numbers[:4]) + (" ..." if len(numbers) > 4 else "")
