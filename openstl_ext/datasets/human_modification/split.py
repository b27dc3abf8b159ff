"""Draw and read the block split of the Human Modification rasters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from openstl_ext.datasets.human_modification.rasters import HMChoice, HMRasters
from openstl_ext.datasets.remedies import command_for
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.block_split import BlockSplit, block_shape
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window

SPLIT = "split.json"


def read_split(path: Path, grid: Grid, options: Sequence[str] = ()) -> tuple[BlockSplit, int]:
    """Read the blocks of each split, and the buffer between chips of different splits, in pixels.

    Args:
        path: File of the preparation tool.
        grid: Grid of the rasters, which the split must match.
        options: Options of the command that draws a split, for messages.

    Raises:
        DatasetNotFoundError: If the file does not exist.
        DataError: If it is incomplete, of another raster, or without a buffer.
    """
    prepare = command_for("human-modification", path.parent, "split", *options)
    if not path.is_file():
        raise DatasetNotFoundError(path, prepare=prepare)
    split = BlockSplit.read(path)
    if (split.height, split.width) != (grid.height, grid.width):
        raise DataError(
            f"{path}: size is {split.height} x {split.width}, but the rasters have "
            f"{grid.describe()}; draw the split again with `{prepare}`"
        )
    if "buffer" not in split.about:  # 0 would be a silent overlap
        raise DataError(f"{path} has no buffer in about; draw the split again with `{prepare}`")
    return split, int(split.about["buffer"])


SHARES = {"train": 0.7, "val": 0.1, "test": 0.1, "calibration": 0.1}


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """Parameters of the block split.

    Args:
        chip_size: Side of the chips, in pixels.
        buffer: Smallest distance between a chip and a block of another split, in pixels.
        block_size: Side of a block; a chip and the buffers around it if not given.
        shares: Share of the blocks of each split.
        seed: Seed of the shuffle.
        min_valid: Blocks with a smaller share of known pixels in the newest year are not used.

    Source:
        GMoncrieff/spatio-temporal@d765a15, ``create_validity_mask.py``.

    Deviations:
        Upstream uses blocks of 128 for chips of 128 and moves training chips by up to 32 pixels,
        into blocks of other splits. Blocks of 192 allow the same movement without overlap. Blocks
        of 128 with ``buffer=0`` are possible.
    """

    chip_size: int = 128
    buffer: int = 32
    block_size: int | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    seed: int = 42
    min_valid: float = 0.2


def draw_split(root: Path, choice: HMChoice, settings: SplitSettings) -> list[str]:
    """Draw a split and write ``split.json`` to the folder of the rasters.

    Args:
        root: Folder of the rasters.
        choice: Their selection; the target of the newest year determines the known pixels.
        settings: Parameters of the split.

    Returns:
        A line for each split.

    Raises:
        DataError: If a split gets no block, or no chip fits.
    """
    target = HMChoice(
        target=choice.target, values=choice.values, years=choice.years, files=choice.files
    )
    rasters = HMRasters(root, target, years=choice.years[-1:])
    size = settings.block_size
    if size is None:
        size = settings.chip_size + 2 * settings.buffer
    height, width = rasters.grid.height, rasters.grid.width
    known = np.zeros(block_shape(height, width, size))
    for (row, column), window in tracked(
        blocks(height, width, size), "known pixels", "blocks", total=known.size
    ):
        known[row, column] = np.isfinite(rasters.frames(window, rasters.years)).mean()
    split = BlockSplit.draw(
        height=height,
        width=width,
        block_size=size,
        shares=settings.shares,
        seed=settings.seed,
        valid_share=known,
        min_valid=settings.min_valid,
        about={
            "buffer": settings.buffer,
            "chip_size": settings.chip_size,
            "seed": settings.seed,
            "min_valid": settings.min_valid,
            "known_in": rasters.path(choice.target, rasters.years[0]).name,
        },
    )
    lines = [summary(split, name, settings.chip_size, settings.buffer) for name in split.names]
    split.write(root / SPLIT)
    return [*lines, f"{root / SPLIT}: {int((split.codes > 0).sum())} of {known.size} blocks used"]


def blocks(height: int, width: int, size: int) -> Iterator[tuple[tuple[int, int], Window]]:
    """Yield index and pixels of each block of a raster; the last ones are cut off by the edge."""
    area = Window(0, 0, height, width)
    for row, column in np.ndindex(*block_shape(height, width, size)):
        window = Window(row * size, column * size, size, size).meet(area)
        assert window is not None
        yield (row, column), window


def summary(split: BlockSplit, name: str, chip_size: int, buffer: int) -> str:
    """Return a line about the size of a split.

    Raises:
        DataError: If no chip fits.
    """
    chips = split.windows(name, size=chip_size, stride=chip_size, buffer=buffer)
    count = int((split.codes == split.names.index(name) + 1).sum())
    return (
        f"{name}: {count} blocks of {split.block_size} pixels, {len(chips)} chips of {chip_size} "
        f"without overlap, at least {buffer} pixels from blocks of other splits"
    )
