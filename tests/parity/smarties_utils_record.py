"""Replay the record of SMARTIES' patches and positions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.layers.patches import band_patches
from openstl_ext.layers.position_table import resized_positions, sincos_positions
from tests.parity.network_record import distance
from tests.parity.quantity import Quantity


def replay(record: dict[str, Any]) -> Iterator[Quantity]:
    """Compare patches, the table of positions and its interpolation."""
    entry = record["tensor_patchify"]
    size = entry["patch_size"]
    frames = drawn(entry["input"])
    rows = frames.shape[-2] // size
    patches = band_patches(frames, size).unflatten(3, (size, size)).unflatten(1, (rows, -1))
    yield distance("tensor_patchify", patches, entry["output"])

    entry = record["get_2d_sincos_pos_embed(16, 3, cls_token=True)"]
    table = sincos_positions(16, 3, 3)[0]
    wrong = list(table.shape) != entry["shape"]
    error = np.abs(table.flatten().numpy() - np.ravel(entry["values"])).max()
    yield Quantity("sincos", float("inf") if wrong else float(error))

    entry = record["interpolate_pos_embed"]
    side = entry["target_grid"]
    resized = resized_positions(drawn(entry["input"]), side, side)
    yield distance("interpolate_pos_embed", resized, entry["output"])


def drawn(entry: dict[str, Any]) -> Tensor:
    """Draw a recorded input."""
    values = np.random.RandomState(entry["seed"]).rand(*entry["shape"])
    return torch.from_numpy(values.astype(np.float32))
