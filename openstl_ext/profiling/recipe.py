"""Profile a recipe from its config."""

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
    """Build the method of a config and return the cost of one prediction as text.

    Args:
        cfg: A loaded config.
        shape: Shape of the input frames (T, C, H, W); by default that of a test item or, without
            data, the ``in_shape`` of the net.
        horizon: Number of future frames; by default that of the item, or the number of input
            frames. Labels have none.
        batch_size: Number of samples in the timed batch.

    Raises:
        ConfigError: If the method predicts nothing, or no shape of the input frames is known.
    """
    if batch_size < 1:
        raise ConfigError(f"--batch-size is {batch_size}, expected 1 or more")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    method = METHODS.build(cfg.model).to(device)
    check_net(method)
    check_predicts(method)
    inputs, default, source = starting_point(cfg, shape)
    horizon = horizon or default
    frames = tuple(inputs["frames"].shape[1:])
    profiled = profile(method, inputs, horizon, batch_size=batch_size)
    answer = f"{horizon} frames" if profiled["answer"] == "frames" else "labels"
    return f"{cfg.identity}: {frames} -> {answer} ({source})\n{in_words(profiled)}"


def starting_point(cfg: Config, shape: Sequence[int] | None) -> tuple[dict[str, Tensor], int, str]:
    """Return the inputs of one sample, its horizon, and the source of both as text."""
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
        return {"frames": torch.rand(1, *taken)}, taken[0], "the shape of the net, without data"
    inputs = {name: value[None] for name, value in item["inputs"].items()}
    target = item["data_samples"].get("frames", ())  # labels have no horizon
    return inputs, len(target) or 1, "an item of the test split"


def net_shape(model: dict[str, Any]) -> tuple[int, ...] | None:
    """Return the shape of the frames that a net is built for, if its config has one."""
    shape = model.get("net", {}).get("in_shape")
    return tuple(shape) if shape else None
