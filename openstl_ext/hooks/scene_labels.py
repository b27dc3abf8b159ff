"""Labels of entire samples, gathered from all ranks and saved as one array per kind."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather_object
from numpy.typing import NDArray

from openstl_ext.atomic_io import save_array
from openstl_ext.errors import DataError
from openstl_ext.structures import Sample

KINDS = {"trues": np.int16, "preds": np.int16, "probs": np.float32}
UNKNOWN = -1
"""Value of a saved target without observation; no class has this number."""

Row = tuple[str, tuple[NDArray[Any], ...]]


def is_scene(sample: Sample) -> bool:
    """Return whether the prediction is one label, or one label per class, of the entire sample."""
    return "labels" in sample and sample["labels"].ndim < 2


class SceneLabels:
    """Predictions of entire samples: a few numbers each, so that a file each would be wasteful."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def append(self, name: str, sample: Sample) -> None:
        """Keep target, labels and probability of a sample, with its name."""
        target = torch.where(sample["valid"], sample["target"], UNKNOWN)
        fields = (target, sample["labels"], sample["probability"].float())
        self.rows.append((name, tuple(field.detach().cpu().numpy() for field in fields)))

    def gather(self) -> None:
        """Append the rows of all other ranks; called on every rank."""
        self.rows = [row for rows in all_gather_object(self.rows) for row in rows]

    def write(self, folder: Path, names: Sequence[str]) -> None:
        """Write ``trues.npy``, ``preds.npy``, ``probs.npy`` and ``samples.json``.

        Args:
            folder: An existing folder.
            names: Names of all samples, in the order of the files.

        Raises:
            DataError: If two samples have the same name.
        """
        if double := next((n for n, m in pairwise(sorted(names)) if n == m), None):
            raise DataError(
                f"two test samples have the id {double!r}; make sample_id of the dataset unique"
            )
        found = dict(self.rows)
        for number, (kind, dtype) in enumerate(KINDS.items()):
            rows = [found[name][number] for name in names]
            save_array(folder / f"{kind}.npy", np.stack(rows).astype(dtype))
        (folder / "samples.json").write_text(json.dumps(list(names), indent=0) + "\n")
