"""The split of the rasters of the Human Modification index."""

from pathlib import Path

from openstl_ext.datasets.layout.hm_files import PREPARE
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.rasters.blocks import BlockSplit
from openstl_ext.rasters.grid import Grid

SPLIT = "split.json"


def read_split(path: Path, grid: Grid) -> tuple[BlockSplit, int]:
    """Blocks of each split, and how far a chip keeps from those of others, in pixels.

    Args:
        path: As the preparation tool writes it.
        grid: Of the rasters that it must be of.

    Raises:
        DatasetNotFoundError: If it is not there.
        DataError: If it is damaged, of another raster, or without a buffer.
    """
    prepare = f"{PREPARE} split --root {path.parent}"
    if not path.is_file():
        raise DatasetNotFoundError(path, prepare=prepare)
    split = BlockSplit.read(path)
    if (split.height, split.width) != (grid.height, grid.width):
        raise DataError(
            f"{path} splits {split.height} x {split.width} pixels, but the rasters have "
            f"{grid.describe()}; draw it again: {prepare}"
        )
    buffer = split.about.get("buffer")
    if not isinstance(buffer, int) or buffer < 0:
        raise DataError(f"{path} says no buffer in about; draw it again: {prepare}")
    return split, buffer
