"""Series as two memory-mapped arrays: images and labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats.label_map import stored_classes
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.rasters.grid import NO_TRANSFORM, Grid, check_transform
from openstl_ext.rasters.window import Window

STACK = "landsat_stack.npy"
LABEL = "label.npy"
ADVICE = f"write it again: {PREPARE} --help"


@final
class LandsatStack:
    """Series in ``landsat_stack.npy`` (years, bands, H, W) beside ``stack.json``.

    Arrays are mapped at the first read of each process, so an instance may be pickled and forked.

    Args:
        path: The array of images.
        labelled: Whether ``label.npy`` (H, W) is required in the same folder.

    Raises:
        DatasetNotFoundError: If a file is missing.
        DataError: If shapes or metadata disagree; it names both files.
    """

    def __init__(self, path: Path, *, labelled: bool = True) -> None:
        self.path, self.label = path, path.with_name(LABEL)
        facts_path = path.with_name(FACTS)
        for needed in (path, facts_path, *((self.label,) if labelled else ())):
            if not needed.is_file():
                raise DatasetNotFoundError(needed, prepare=f"{PREPARE} convert --help")
        self.facts = SeriesFacts.read(facts_path)
        self._mapped: dict[Path, NDArray[Any]] = {}
        shape = self._array(path).shape
        expected = (len(self.facts.years), len(self.facts.bands))
        if len(shape) != 4 or shape[:2] != expected:
            raise DataError(
                f"{path}: shape is {shape}, expected ({expected[0]}, {expected[1]}, H, W) for the "
                f"years and bands of {facts_path}; correct the latter"
            )
        if labelled and self._array(self.label).shape != shape[2:]:
            raise DataError(
                f"{self.label}: shape is {self._array(self.label).shape}, expected {shape[2:]} as "
                f"in {path}"
            )
        if self.facts.crs or self.facts.transform:
            check_transform(facts_path, self.facts.transform or NO_TRANSFORM)
        self.grid = Grid(
            height=shape[2],
            width=shape[3],
            crs=self.facts.crs,
            transform=self.facts.transform or NO_TRANSFORM,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": {}}

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        rows, columns = window.slices
        stored = self._array(self.path)[years, :, rows, columns]
        # a slice of bands is read without the copy that a list of indices needs
        return self.facts.in_data_units(stored[:, _as_slice(bands)], self.path)

    def labels(self, window: Window, ignore_index: int) -> NDArray[np.int64]:
        stored = self._array(self.label)[window.slices]
        place = f"the window at row {window.row}, column {window.column}"
        return stored_classes(
            stored, self.facts.classes, ignore_index=ignore_index, path=self.label, place=place
        )

    def _array(self, path: Path) -> NDArray[Any]:
        if path not in self._mapped:
            self._mapped[path] = map_numbers(path, advice=ADVICE)
        return self._mapped[path]


def _as_slice(places: Sequence[int]) -> slice | list[int]:
    """Convert consecutive indices to a slice."""
    first = places[0]
    if list(places) == list(range(first, first + len(places))):
        return slice(first, first + len(places))
    return list(places)
