"""Replay the record of OpenSTL's patch folding."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from openstl_ext.layers.patches import fold_patches, unfold_patches
from tests.parity.quantity import Quantity


def replay(record: dict[str, Any]) -> Iterator[Quantity]:
    """Fold and unfold each frame of the recorded sequence."""
    (drawn,) = record["inputs"]
    values = np.random.RandomState(drawn["seed"]).rand(*drawn["shape"]).astype(np.float32)
    frames = torch.from_numpy(values).permute(0, 1, 4, 2, 3)  # upstream is channels last
    size = record["patch_size"]
    folded = fold_patches(frames.flatten(0, 1), size)
    back = unfold_patches(folded, size).unflatten(0, frames.shape[:2])
    yield Quantity("round trip", float((back - frames).abs().max()))

    recorded = record["output"]
    ours = folded.unflatten(0, frames.shape[:2]).permute(0, 1, 3, 4, 2)
    yield Quantity("output.shape", float(list(ours.shape) != recorded["shape"]))
    samples = recorded["samples"]
    found = ours.flatten()[:: samples["stride"]][: len(samples["values"])].numpy()
    yield Quantity("output.samples", float(np.abs(found - np.array(samples["values"])).max()))
    l2 = float(ours.double().square().sum().sqrt())
    yield Quantity("output.l2", abs(l2 - recorded["l2"]) / recorded["l2"])
