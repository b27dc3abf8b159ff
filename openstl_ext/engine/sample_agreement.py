"""Compare the shapes of training samples with those of validation and test samples."""

from collections.abc import Mapping, Sequence
from typing import Any

from openstl_ext.errors import ConfigError

FRAME = 2
"""Trailing axes of a frame, its height and width; a net may train on crops of the frames."""


def check_samples(
    datasets: Mapping[str, Any], overrides: Sequence[str], *, has_fixed_horizon: bool
) -> str | None:
    """Check that training and evaluation have the same inputs and predict the same number of steps.

    Args:
        datasets: Datasets by loader: ``train``, ``val``, ``test``; some may be missing.
        overrides: Entries of ``--cfg-options``.
        has_fixed_horizon: Whether the net predicts one block of frames, so that shorter targets
            leave a part of it without training.

    Returns:
        A sentence, if a config trains on another horizon or size than that of the evaluation.

    Raises:
        ConfigError: If inputs or channels differ; or the horizon, for a net of one block or because
            of an override of one loader.
    """
    shapes = {name: shapes_of(dataset) for name, dataset in datasets.items() if len(dataset)}
    train = shapes.pop("train", None)
    if train is None:
        return None
    difference = None
    for loader, other in shapes.items():
        for field in sorted(train.keys() & other.keys()):
            ours, theirs = train[field], other[field]
            if ours == theirs:
                continue
            sentence = (
                f"a training sample has {field} of shape {ours}, and a sample of "
                f"{loader}_dataloader {theirs}"
            )
            if ours[:-FRAME] == theirs[:-FRAME]:
                difference = sentence
                continue
            is_horizon = field.startswith("data_samples") and ours[1:-FRAME] == theirs[1:-FRAME]
            if is_horizon and not has_fixed_horizon and not _changes_datasets(overrides):
                difference = sentence
                continue
            raise ConfigError(
                f"{sentence}; give the dataset of all loaders the same arguments, such as "
                "num_inputs and num_targets"
            )
    return difference


def shapes_of(dataset: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the frames of the first sample by field, such as ``inputs.frames``."""
    item = dataset[0]
    return {
        f"{side}.{name}": tuple(value.shape)
        for side in ("inputs", "data_samples")
        for name, value in item[side].items()
        if getattr(value, "ndim", 0) > FRAME
    }


def _changes_datasets(overrides: Sequence[str]) -> bool:
    keys = [entry.partition("=")[0].lstrip("+") for entry in overrides]
    return any("_dataloader.dataset" in key for key in keys)
