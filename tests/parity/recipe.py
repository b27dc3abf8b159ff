"""Weights and inputs of the golden records, drawn from names and seeds."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def fill(name: str, shape: list[int]) -> Tensor:
    """Draw the recorded weight of a key from the reference's name for it and its shape."""
    draw = np.random.RandomState(zlib.crc32(name.encode("utf-8"))).standard_normal(shape)
    if name.endswith("running_var"):
        values = 1 + 0.1 * np.abs(draw)
    elif name.endswith("running_mean"):
        values = 0.1 * draw
    elif len(shape) >= 2:
        values = draw / np.sqrt(np.prod(shape[1:]))
    else:
        values = 0.1 * draw if name.endswith("bias") else 1 + 0.1 * draw
    return torch.from_numpy(np.asarray(values)).float()


def weights(record: Mapping[str, Any]) -> dict[str, Tensor]:
    """Draw all weights of a record except those that the model keeps from its constructor."""
    left = set(record.get("left", ()))
    return {name: fill(name, shape) for name, shape in record["keys"].items() if name not in left}


def inputs(record: Mapping[str, Any]) -> list[Tensor]:
    """Draw the inputs of a record."""
    return [
        torch.from_numpy(np.random.RandomState(i["seed"]).rand(*i["shape"]).astype(np.float32))
        for i in record["inputs"]
    ]
