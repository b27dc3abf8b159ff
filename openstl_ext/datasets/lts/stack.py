"""One array of years, bands, rows and columns, mapped into memory, and one of labels."""

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
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window

STACK = "landsat_stack.npy"
LABEL = "label.npy"
ADVICE = f"make it anew: {PREPARE} --help"
NOWHERE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Transform of an array that does not say where it lies: coordinates are columns and rows."""


@final
class LandsatStack:
    """A series as ``landsat_stack.npy`` (years, bands, H, W) beside ``stack.json``.

    Arrays are mapped at the first read of each process, so an instance may be pickled and forked.

    Args:
        path: The array of images.
        labelled: Whether ``label.npy`` (H, W) must lie beside it.

    Raises:
        DatasetNotFoundError: If a file is missing.
        DataError: If the files do not belong together; it names both.
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
                f"{path}: shape {shape}, but {facts_path} says {expected[0]} years and "
                f"{expected[1]} bands, so ({expected[0]}, {expected[1]}, H, W) is expected"
            )
        if labelled and self._array(self.label).shape != shape[2:]:
            raise DataError(
                f"{self.label}: shape {self._array(self.label).shape}, but {path} has images of "
                f"{shape[2:]}"
            )
        self.grid = Grid(
            height=shape[2],
            width=shape[3],
            crs=self.facts.crs,
            transform=self.facts.transform or NOWHERE,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": {}}

    def frames(self, window: Window, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        rows, columns = window.slices
        stored = self._array(self.path)[years, :, rows, columns]
        # a basic slice reads no band that a neighbour does not need; a list copies once more
        return self.facts.in_data_units(stored[:, _as_slice(bands)])

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
    """The same places as a slice where they follow one another."""
    first = places[0]
    if list(places) == list(range(first, first + len(places))):
        return slice(first, first + len(places))
    return list(places)
