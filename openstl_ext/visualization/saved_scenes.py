"""Read the labels of entire samples that a test run saved, and count confusions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.visualization.saved import SavedFolder, frames_of

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class SavedScenes:
    """Labels of all samples of a test.

    Files:
        ``trues.npy``, ``preds.npy`` and ``probs.npy``, with the samples in the order of
        ``samples.json``.

    Shape:
        - target, labels: (N,) classes, or (N, K) labels of 0 or 1; the target is below 0 where it
          is unknown. probability: (N, K).
    """

    target: Labels
    labels: Labels
    probability: NDArray[np.float32]

    @classmethod
    def read(cls, folder: SavedFolder) -> "SavedScenes":
        """Read the arrays of a folder.

        Raises:
            DataError: If a file is missing, is no array of numbers or has another size.
        """
        target, labels, probability = (_read(folder, kind) for kind in ("trues", "preds", "probs"))
        number = len(folder.sample_ids)
        shapes = [x.shape for x in (target, labels, probability)]
        alike = target.shape == labels.shape in (probability.shape, probability.shape[:1])
        if not alike or probability.ndim != 2 or len(target) != number:
            raise DataError(
                f"{folder.path}: target {shapes[0]}, labels {shapes[1]}, probability {shapes[2]} "
                f"and {number} names of samples do not fit; test again"
            )
        return cls(target.astype(np.int64), labels.astype(np.int64), probability)


def _read(folder: SavedFolder, kind: str) -> NDArray[Any]:
    path = folder.path / f"{kind}.npy"
    try:
        found: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not an array of numbers: {error}") from error
    if found.dtype.kind not in "fiu":
        raise DataError(f"{path} has {found.dtype}, expected numbers; test again")
    return found


def confusion_of(pairs: Iterable[tuple[Labels, Labels]], number: int, place: str | Path) -> Labels:
    """Count how often each class (row) was predicted as each class (column).

    Args:
        pairs: Target, below 0 where unknown, and labels of each sample or of all.
        number: Number of classes.
        place: Folder that messages name.

    Shape:
        - returns: (K, K).

    Raises:
        DataError: If a label is no class.
    """
    counts = np.zeros(number**2, np.int64)
    for target, labels in pairs:
        known = target >= 0
        both = np.stack([target[known], labels[known]])
        if both.size and not 0 <= both.min() <= both.max() < number:
            raise DataError(f"{place} has the class {both.max()}, but {number} probabilities")
        counts += np.bincount(both[0] * number + both[1], minlength=number**2)
    return counts.reshape(number, number)


def pairs_of_maps(folder: SavedFolder, names: Sequence[str]) -> Iterator[tuple[Labels, Labels]]:
    """Yield target and labels of the pixels of saved samples, one sample at a time."""
    for name in names:
        maps = [frames_of(folder.path / kind / name) for kind in ("trues", "preds")]
        if maps[0].shape != maps[1].shape:
            raise DataError(
                f"{folder.path}: target {maps[0].shape} and labels {maps[1].shape} of sample "
                f"{name} do not fit; test again"
            )
        target, labels = (np.rint(x).astype(np.int64).ravel() for x in maps)
        yield target, labels
