"""Patches of a split: a file for each, or windows of an area."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.formats.label_map import stored_classes
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.datasets.lts.series import Series
from openstl_ext.datasets.remedies import command_for
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.text_file import read_lines

SPLITS, IMAGES, LABELS = "splits", "images", "labels"
ADVICE = f"cut the patches again: {PREPARE} cut --help"


@final
class PatchFiles:
    """Patches of a split in files, each memory-mapped when it is read.

    The headers of all files are checked when the dataset is built, so that a missing file or a
    wrong shape is found before training.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        patch_size: Side of every patch, in pixels.

    Raises:
        DatasetNotFoundError: If the list of the split or ``stack.json`` is missing.
        DataError: If a name is listed twice, or a file is missing or has another shape.
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
                if (found := _array(path).shape) != shape:
                    raise DataError(
                        f"{path}: shape is {found}, expected {shape} from {root / FACTS} and "
                        f"patch_size={patch_size}"
                    )

    def frames(self, index: int, years: slice, bands: Sequence[int]) -> NDArray[np.float32]:
        path = self._image(self.names[index])
        return self.facts.in_data_units(_array(path)[years][:, list(bands)], path)

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
    """Read the names of the patches of a split.

    Raises:
        DataError: If there is none, or one is listed twice.
    """
    names = [line.removesuffix(".npy") for line in read_lines(path)]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        reason = f"names {twice} twice" if twice else "names no patch"
        raise DataError(f"{path} {reason}; {ADVICE}")
    return names


def _array(path: Path) -> NDArray[Any]:
    return map_numbers(path, advice=ADVICE)


BLOCKS = "blocks.json"


def cut_command(root: Path, patch_size: int) -> str:
    """Return the command that cuts the patches of a series."""
    return command_for("lts", root, "cut", "--patch-size", str(patch_size))


def coords_file(root: Path, split: str) -> Path:
    """Return the file of the corners of a split."""
    return root / f"{split}_coords.npy"


def windows_of(root: Path, split: str, series: Series, patch_size: int) -> list[Window]:
    """Return the patches of a split.

    Their corners are in ``<split>_coords.npy``. Without this file the blocks of ``blocks.json``
    are divided into adjacent patches.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        series: The area.
        patch_size: Side of a patch, in pixels.

    Raises:
        DatasetNotFoundError: If neither file exists.
        ConfigError: If the corners were cut for another size.
        DataError: If a patch is not inside the area, or the blocks are of another area.
    """
    facts, grid = series.facts, series.grid
    path, blocks = coords_file(root, split), root / BLOCKS
    if path.is_file():
        if facts.patch_size not in (None, patch_size):
            raise ConfigError(
                f"patch_size is {patch_size}, but the corners in {root} were cut for "
                f"{facts.patch_size}; use this size, or {ADVICE}"
            )
        return read_corners(path, grid.height, grid.width, patch_size)
    if not blocks.is_file():
        raise DatasetNotFoundError(path, prepare=cut_command(root, patch_size))
    found = BlockSplit.read(blocks)
    if (found.height, found.width) != (grid.height, grid.width):
        raise DataError(
            f"{blocks}: size is {found.height} x {found.width}, but the series has "
            f"{grid.height} x {grid.width} pixels; {ADVICE}"
        )
    return found.windows(split, size=patch_size, stride=patch_size, buffer=facts.buffer)


def read_corners(path: Path, height: int, width: int, patch_size: int) -> list[Window]:
    """Read patches by their first row and column.

    Args:
        path: File of an array (N, 2).
        height: Rows of the area.
        width: Columns of the area.
        patch_size: Side of a patch, in pixels.

    Raises:
        DataError: If the array has another shape, a patch is not inside the area, or a corner
            occurs twice.
    """
    corners = map_numbers(path, advice=ADVICE)
    if corners.ndim != 2 or corners.shape[1] != 2 or not len(corners):
        raise DataError(f"{path}: shape is {corners.shape}, expected (N, 2): row and column")
    limits = np.array([height - patch_size, width - patch_size])
    inside = (corners >= 0) & (corners <= limits) & (corners == np.floor(corners))
    if not inside.all():  # NaN compares as False
        row = int((~inside).any(axis=1).argmax())
        raise DataError(
            f"{path}: corner {row} is {corners[row].tolist()}, but a patch of {patch_size} pixels "
            f"must start at a pixel and lie inside {height} x {width}; {ADVICE}"
        )
    pairs = [(int(row), int(column)) for row, column in corners.tolist()]
    if len(set(pairs)) < len(pairs):
        raise DataError(f"{path}: {len(pairs) - len(set(pairs))} corners occur twice; {ADVICE}")
    return [Window(row, column, patch_size, patch_size) for row, column in pairs]


def write_corners(path: Path, windows: list[Window]) -> None:
    """Write the corners of patches atomically."""
    corners = np.array([(window.row, window.column) for window in windows], np.int64)
    with atomic_file(path) as file:
        np.save(file, corners.reshape(-1, 2))
