"""Patches of a split: one file each, or windows of an area."""

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
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window

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


BLOCKS = "blocks.json"


def coords_file(root: Path, split: str) -> Path:
    """The corners of a split."""
    return root / f"{split}_coords.npy"


def windows_of(root: Path, split: str, series: Series, patch_size: int) -> list[Window]:
    """The patches of a split.

    They are those of ``<split>_coords.npy``; without it the blocks of ``blocks.json`` are cut into
    patches side by side.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        series: The area that they must lie in.
        patch_size: Their side, in pixels.

    Raises:
        DatasetNotFoundError: If there is neither file.
        ConfigError: If the corners were cut for another size.
        DataError: If a corner is no place inside the area, or the blocks are of another area.
    """
    facts, grid = series.facts, series.grid
    path, blocks = coords_file(root, split), root / BLOCKS
    if path.is_file():
        if facts.patch_size not in (None, patch_size):
            raise ConfigError(
                f"patch_size {patch_size}, but the corners in {root} were cut for "
                f"{facts.patch_size}; set it, or cut anew: {PREPARE} cut --help"
            )
        return read_corners(path, grid.height, grid.width, patch_size)
    if not blocks.is_file():
        raise DatasetNotFoundError(path, prepare=f"{PREPARE} cut --root {root}")
    dealt = BlockSplit.read(blocks)
    if (dealt.height, dealt.width) != (grid.height, grid.width):
        raise DataError(
            f"{blocks}: splits an area of {dealt.height} x {dealt.width}, but the series has "
            f"{grid.height} x {grid.width} pixels; cut anew: {PREPARE} cut --root {root}"
        )
    return dealt.windows(split, size=patch_size, stride=patch_size, buffer=facts.buffer)


def read_corners(path: Path, height: int, width: int, patch_size: int) -> list[Window]:
    """Patches by their first row and column.

    Args:
        path: An array (N, 2).
        height: Rows of the area.
        width: Columns of the area.
        patch_size: Side of a patch, in pixels.

    Raises:
        DataError: If the file holds something else, NaN, a corner twice, or one whose patch leaves
            the area.
    """
    advice = f"cut the patches anew: {PREPARE} cut --help"
    corners = map_numbers(path, advice=advice)
    if corners.ndim != 2 or corners.shape[1] != 2 or not len(corners):
        raise DataError(f"{path}: shape {corners.shape} where (N, 2), row and column, is expected")
    whole = np.floor(corners) if corners.dtype.kind == "f" else corners
    odd = ~np.isfinite(corners) | (whole != corners)
    limits = np.array([height - patch_size, width - patch_size])
    with np.errstate(invalid="ignore"):
        outside = (corners < 0) | (corners > limits)
    for what, bad in (("is no place", odd), (f"leaves the area of {height} x {width}", outside)):
        if bad.any():
            row = int(bad.any(axis=1).argmax())
            raise DataError(
                f"{path}: corner {row}, {corners[row].tolist()}, {what} with patches of "
                f"{patch_size} pixels; {advice}"
            )
    pairs = [(int(row), int(column)) for row, column in corners.tolist()]
    if len(set(pairs)) < len(pairs):
        raise DataError(f"{path}: {len(pairs) - len(set(pairs))} corners are there twice; {advice}")
    return [Window(row, column, patch_size, patch_size) for row, column in pairs]


def write_corners(path: Path, windows: list[Window]) -> None:
    """Replace a file by the corners of patches, whole."""
    corners = np.array([(window.row, window.column) for window in windows], np.int64)
    with atomic_file(path) as file:
        np.save(file, corners.reshape(-1, 2))
