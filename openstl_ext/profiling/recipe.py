"""What a recipe costs, from its config."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from openstl_ext.errors import ConfigError, DatasetNotFoundError
from openstl_ext.interfaces import check_net
from openstl_ext.profiling.report import check_predicts, in_words, profile
from openstl_ext.registry import DATASETS, METHODS


def describe(
    cfg: Config, shape: Sequence[int] | None, horizon: int | None, *, batch_size: int = 1
) -> str:
    """Build the method of a config and say what one forecast or labelling of it costs.

    Args:
        cfg: A loaded config.
        shape: Frames (T, C, H, W) to forecast from; by default those of a test item, or without
            data those of the net's ``in_shape``.
        horizon: Number of future frames; without, the item's, or as many as go in. Where the
            answer is labels, there is none.
        batch_size: Samples of the batch that is timed.

    Raises:
        ConfigError: If the method predicts nothing, or there is neither a shape nor an item.
    """
    if batch_size < 1:
        raise ConfigError(f"--batch-size is at least 1, not {batch_size}")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    method = METHODS.build(cfg.model).to(device)
    check_net(method)
    check_predicts(method)
    inputs, asked, source = starting_point(cfg, shape)
    horizon = horizon or asked
    frames = tuple(inputs["frames"].shape[1:])
    profiled = profile(method, inputs, horizon, batch_size=batch_size)
    answer = f"{horizon} frames" if profiled["answer"] == "frames" else "labels"
    return f"{cfg.identity}: {frames} -> {answer} ({source})\n{in_words(profiled)}"


def starting_point(cfg: Config, shape: Sequence[int] | None) -> tuple[dict[str, Tensor], int, str]:
    """Inputs of one sample, the horizon that goes with them, and where both come from."""
    if shape is not None:
        return {"frames": torch.rand(1, *shape)}, shape[0], "the given shape"
    if cfg.get("test_dataloader") is None:
        raise ConfigError(f"{cfg.identity} has no test_dataloader; give --shape T C H W")
    try:
        item = DATASETS.build(cfg.test_dataloader.dataset)[0]
    except DatasetNotFoundError as error:
        taken = net_shape(cfg.model)
        if taken is None:
            raise ConfigError(f"{error}; or give --shape T C H W") from None
        return {"frames": torch.rand(1, *taken)}, taken[0], "the shape of the net; no data there"
    inputs = {name: value[None] for name, value in item["inputs"].items()}
    truth = item["data_samples"].get("frames", ())  # labels have no horizon
    return inputs, len(truth) or 1, "an item of the test split"


def net_shape(model: dict[str, Any]) -> tuple[int, ...] | None:
    """What a net says about the frames that it takes."""
    shape = model.get("net", {}).get("in_shape")
    return tuple(shape) if shape else None
