"""Where the patches of a split lie: corners in an array, or blocks that are cut when read."""

from pathlib import Path

import numpy as np

from openstl_ext.datasets.layout.npy_map import map_numbers
from openstl_ext.datasets.layout.series import Series
from openstl_ext.datasets.layout.series_facts import PREPARE
from openstl_ext.durable import whole_file
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.rasters.blocks import BlockSplit
from openstl_ext.rasters.window import Window

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
    with whole_file(path) as file:
        np.save(file, corners.reshape(-1, 2))
