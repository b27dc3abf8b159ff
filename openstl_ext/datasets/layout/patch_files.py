"""One file a patch: ``splits/<split>.txt``, ``images/<name>.npy`` and ``labels/<name>.npy``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.layout.class_map import stored_classes
from openstl_ext.datasets.layout.npy_map import map_numbers
from openstl_ext.datasets.layout.series_facts import FILE as FACTS
from openstl_ext.datasets.layout.series_facts import PREPARE, SeriesFacts
from openstl_ext.errors import DataError, DatasetNotFoundError

SPLITS, IMAGES, LABELS = "splits", "images", "labels"
ADVICE = f"cut the patches anew: {PREPARE} cut --help"


@final
class PatchFiles:
    """The patches of a split, each mapped when it is asked for.

    Sizes are checked when the dataset is built, from the heads of the files, so that a missing or
    odd one does not show after hours.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        patch_size: Side that every patch must have, in pixels.

    Raises:
        DatasetNotFoundError: If the list of the split or ``stack.json`` is missing.
        DataError: If a name is listed twice, or a file is missing or of another size.
    """

    def __init__(self, root: Path, split: str, patch_size: int) -> None:
        self.root = root
        listed = root / SPLITS / f"{split}.txt"
        for needed in (listed, root / FACTS):
            if not needed.is_file():
                raise DatasetNotFoundError(needed, prepare=f"{PREPARE} cut --help")
        self.facts = SeriesFacts.read(root / FACTS)
        self.names = names_of(listed)
        images = (len(self.facts.years), len(self.facts.bands), patch_size, patch_size)
        for name in self.names:
            for path, shape in ((self._image(name), images), (self._label(name), images[2:])):
                if not path.is_file():
                    raise DataError(f"{path}: this patch is missing, but {listed} names it")
                if (found := _array(path).shape) != shape:
                    raise DataError(
                        f"{path}: shape {found} where {shape} is expected, by {root / FACTS} and "
                        f"patch_size={patch_size}"
                    )

    def frames(self, index: int, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        stored = _array(self._image(self.names[index]))
        return self.facts.in_data_units(stored[years][:, list(bands)])

    def labels(self, index: int, ignore_index: int) -> NDArray[np.int64]:
        path = self._label(self.names[index])
        stored = _array(path)
        classes = self.facts.classes
        return stored_classes(
            stored, classes, ignore_index=ignore_index, path=path, place="the patch"
        )

    def _image(self, name: str) -> Path:
        return self.root / IMAGES / f"{name}.npy"

    def _label(self, name: str) -> Path:
        return self.root / LABELS / f"{name}.npy"


def names_of(path: Path) -> list[str]:
    """Names of the patches of a split.

    Raises:
        DataError: If there is none, one is there twice, or leads out of the folder.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [line.strip().removesuffix(".npy") for line in lines if line.strip()]
    if not names:
        raise DataError(f"{path}: names no patch; {ADVICE}")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{path}: names {name} twice")
        if "/" in name or "\\" in name or name.startswith("."):
            raise DataError(f"{path}: {name!r} is no name of a patch; leave paths out")
        seen.add(name)
    return names


def _array(path: Path) -> NDArray[Any]:
    return map_numbers(path, advice=ADVICE)
