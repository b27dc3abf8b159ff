"""Check the Human Modification rasters of a folder and its splits."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from openstl_ext.datasets.human_modification.files import Key, chosen, find
from openstl_ext.datasets.human_modification.rasters import HMChoice, HMRasters
from openstl_ext.datasets.human_modification.split import SPLIT, blocks, read_split, summary
from openstl_ext.datasets.human_modification.statistics import check_used
from openstl_ext.datasets.lts.report import count_overlaps
from openstl_ext.errors import DataError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.layer import RasterLayer

PIECE = 512
"""Side of a window that is read at once, in pixels."""


@dataclass
class _Counts:
    """Range and number of known values of one raster."""

    known: int = 0
    total: int = 0
    low: float = np.inf
    high: float = -np.inf

    def add(self, values: np.ndarray) -> None:
        known = values[np.isfinite(values)]
        self.known, self.total = self.known + known.size, self.total + values.size
        if known.size:
            self.low, self.high = min(self.low, known.min()), max(self.high, known.max())

    def __str__(self) -> str:
        if not self.known:
            return "no data"
        return f"{self.low:.6g} to {self.high:.6g}, {1 - self.known / self.total:.1%} missing"


def verify(root: Path, choice: HMChoice, *, chip_size: int | None = None) -> list[str]:
    """Read every raster of a folder in windows, and compare the splits.

    Args:
        root: Folder of the rasters.
        choice: Required rasters, and the range of the target.
        chip_size: Side of a chip, in pixels; that of the split if not given.

    Returns:
        A line about the grid, each raster and each split.

    Raises:
        DataError: If a raster is missing, empty, on another grid or outside its range, or splits
            share pixels.
    """
    rasters = HMRasters(root, choice)
    found = find(root, choice.files)
    paths = chosen(root, found, wanted=list(found))
    lines = [rasters.grid.describe()]
    counts: dict[Key, _Counts] = {}
    for key, path in tracked(paths.items(), "verifying", "rasters"):
        layer = RasterLayer(path)
        layer.grid.check_same(
            rasters.grid,
            path=path,
            other_path=rasters.path(choice.target, choice.years[-1]),
        )
        counts[key] = _Counts()
        for _, window in blocks(rasters.grid.height, rasters.grid.width, PIECE):
            if (year := key[1]) in choice.years and key[0] == choice.target:
                counts[key].add(rasters.frames(window, [year]))  # raises outside the range
            else:
                counts[key].add(layer.read(window))
        lines.append(f"{path.name}: {counts[key]}")
        if not counts[key].known:
            raise DataError(f"{path} has no data; correct its nodata tag, or remove the file")
    targets = [counts[choice.target, year].high for year in choice.years]
    check_used(max(targets), rasters)
    return lines + _splits(root, rasters, chip_size)


def _splits(root: Path, rasters: HMRasters, chip_size: int | None) -> list[str]:
    """Return a line about each split.

    Raises:
        DataError: If two splits share pixels.
    """
    split, buffer = read_split(root / SPLIT, rasters.grid)
    size = chip_size or split.about.get("chip_size") or split.block_size - 2 * buffer
    lines = [summary(split, name, size, buffer) for name in split.names]
    chips = {
        name: split.windows(name, size=size, stride=max(1, size // 2), buffer=buffer)
        for name in split.names
    }
    for one, other in combinations(split.names, 2):
        if shared := count_overlaps(chips[one], chips[other], size):
            raise DataError(
                f"{root / SPLIT}: {shared} chips of {one} and {other} share pixels; draw the split "
                "again"
            )
    return [*lines, f"no pixel is shared between {', '.join(split.names)}"]
