"""Mean and standard deviation of the Human Modification rasters in the training blocks."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.human_modification.files import find
from openstl_ext.datasets.human_modification.rasters import HMChoice, HMRasters
from openstl_ext.datasets.human_modification.split import SPLIT, blocks, read_split
from openstl_ext.datasets.lts.statistics import measure, with_data
from openstl_ext.errors import DataError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import ChannelStatistics, Statistics

PIECE = 512
"""Side of a window that is read at once, in pixels."""
Pieces = Iterator[NDArray[np.float32]]


def measure_training(root: Path, choice: HMChoice) -> Statistics:
    """Compute statistics of all pixels of the training blocks where the target is known.

    Covariates are those of the inputs, with gaps that mean 0 replaced. Dynamic covariates count
    where the target of their year is known, static ones where the newest target is. The target has
    one mean for all years. Memory is that of a block, for rasters of any size.

    Args:
        root: Folder of the rasters and the split.
        choice: Selection of the rasters.

    Raises:
        DataError: If a variable has no value or only one, or the target is not in its range.

    Source:
        GMoncrieff/spatio-temporal@d765a15.

    Deviations:
        Upstream uses 256 random windows of the raster, validation and test areas included.
    """
    rasters = HMRasters(root, choice)
    split, _ = read_split(root / SPLIT, rasters.grid)
    windows = partial(training_blocks, split)
    groups: dict[str, ChannelStatistics] = {}
    frames = (rasters.frames(window, choice.years) for window in windows(choice.target))
    pieces = with_data(_in_range(frames, rasters), choice.years, root)
    groups["frames"] = measure(pieces, [choice.target])
    if choice.dynamic:
        dynamic = (_dynamic(rasters, window) for window in windows("dynamic"))
        groups["dynamic"] = measure(dynamic, choice.dynamic)
    if choice.static:
        static = (_static(rasters, window) for window in windows("static"))
        groups["static"] = measure(static, choice.static)
    about = {
        "taken from": f"training blocks of {SPLIT}, {choice.years[0]}-{choice.years[-1]}",
        "values": choice.values,
        "zero_where_missing": [
            name for name in choice.zero_where_missing if name in choice.dynamic + choice.static
        ],
    }
    return Statistics(groups=groups, about=about)


def training_blocks(split: BlockSplit, of: str) -> Iterator[Window]:
    """Yield the pixels of each training block; show the progress of the statistics ``of``."""
    own = split.codes == split.names.index("train") + 1
    every = blocks(split.height, split.width, split.block_size)
    yield from tracked([w for place, w in every if own[place]], f"statistics, {of}", "blocks")


def _dynamic(rasters: HMRasters, window: Window) -> NDArray[np.float32]:
    years = rasters.years
    known = np.isfinite(rasters.frames(window, years))
    return np.where(known, rasters.dynamic(window, years), np.nan)


def _static(rasters: HMRasters, window: Window) -> NDArray[np.float32]:
    known = np.isfinite(rasters.frames(window, rasters.years[-1:]))
    return np.where(known, rasters.static(window)[None], np.nan)


def _in_range(pieces: Pieces, rasters: HMRasters) -> Pieces:
    """Yield the pieces; raise at the end if they use a small part of the declared range only."""
    largest = 0.0
    for piece in pieces:
        largest = max(largest, float(np.nanmax(piece, initial=0)))
        yield piece
    check_used(largest, rasters)


def find_values(root: Path, choice: HMChoice) -> Literal["0-1", "0-10000"]:
    """Return the range of the target in the files: 0-10000 for whole numbers beyond 1.

    Args:
        root: Folder of the rasters.
        choice: Selection of the rasters; the newest year of the target is read.
    """
    newest = find(root, choice.files).get((choice.target, choice.years[-1]), [])
    if len(newest) != 1:  # the caller names what is missing or twice
        return "0-1"
    layer = RasterLayer(newest[0])
    beyond = False
    pieces = list(blocks(layer.grid.height, layer.grid.width, PIECE))
    for _, window in tracked(pieces, f"range of {choice.target}", "windows"):
        values = layer.read(window)
        if ((values > 0) & (values < 1)).any():
            return "0-1"
        beyond |= bool((values > 1).any())
    return "0-10000" if beyond else "0-1"


def check_used(largest: float, rasters: HMRasters) -> None:
    """Reject an index from 0 to 1 that is declared as 0 to 10000.

    Raises:
        DataError: With the file and the remedy.
    """
    choice = rasters.choice
    if choice.limit > 1 and largest <= 1:
        raise DataError(
            f"{rasters.path(choice.target, choice.years[-1])}: the largest value of all years is "
            f"{largest:g}, but values={choice.values!r} is declared; set values='0-1' in "
            "the config, or --values 0-1"
        )
