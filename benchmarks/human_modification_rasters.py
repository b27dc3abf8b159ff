"""Chips of the Human Modification rasters: peak memory of a worker, for rasters of two heights."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh_process import Cost, measure, ordinary_environment
from benchmarks.harness import Row
from benchmarks.mapping import CACHE
from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.split import SplitSettings, draw_split
from openstl_ext.engine.randomness import seed_everything
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)
WIDTH, HEIGHTS, CHIP, CHIPS = 2048, (1024, 8192), 128, 64
SETTINGS: dict[str, Any] = {"static": ["elevation"], "num_targets": 1, "mode": "random"}


def write_rasters(root: Path, height: int) -> None:
    """Write noise with gaps for each year and for elevation, strip by strip, and a split."""
    root.mkdir()
    grid = Grid(height=height, width=WIDTH, crs="", transform=(1e3, 0.0, 0.0, 0.0, -1e3, 0.0))
    chance = np.random.default_rng(0)
    for name in (*(f"HM_{year}_1km.tif" for year in YEARS), "SRTM_Elevation_1km.tif"):
        with RasterWriter(root / name, grid, dtype="int16", scale=1e-4) as writer:
            for row in range(0, height, 256):
                values = chance.random((256, WIDTH))
                values[values > 0.95] = np.nan
                writer.write(values, Window(row, 0, 256, WIDTH))
    draw_split(root, HMChoice(), SplitSettings())


def windowed(root: Path) -> float:
    """Read chips with the package."""
    dataset = HumanModification(root=str(root), split="train", chips_per_epoch=CHIPS, **SETTINGS)
    total = 0.0
    for index in range(CHIPS):
        seed_everything(index)
        total += float(dataset[index]["inputs"]["frames"].nan_to_num().sum())
    return total


def held(root: Path) -> float:
    """Read chips as first published: all rasters in memory, chips cut out of them."""
    names = (*(f"HM_{year}_1km.tif" for year in YEARS), "SRTM_Elevation_1km.tif")
    layers = [RasterLayer(root / name) for name in names]
    whole = Window(0, 0, layers[0].grid.height, layers[0].grid.width)
    stack = np.stack([layer.read(whole) for layer in layers])
    chance, total = np.random.default_rng(0), 0.0
    for _ in range(CHIPS):
        row, column = (int(chance.integers(n - CHIP)) for n in stack.shape[1:])
        chip = stack[:, row : row + CHIP, column : column + CHIP]
        total += float(np.nan_to_num(chip).sum())
    return total


def reading(way: str, folder: str, height: int) -> Callable[[], float]:
    """Return the call that reads chips; chips of a small raster have been read before."""
    read, root = {"windowed": windowed, "held": held}[way], Path(folder)
    read(root / "warm")
    return partial(read, root / str(height))


def measured(way: str, folder: str, height: int) -> Cost:
    environment = ordinary_environment(GDAL_CACHEMAX=CACHE)
    return measure(reading, way, folder, height, environment=environment)


def rows() -> Iterator[Row]:
    small, large = HEIGHTS
    with tempfile.TemporaryDirectory() as folder:
        write_rasters(Path(folder) / "warm", 768)
        for height in HEIGHTS:
            write_rasters(Path(folder) / str(height), height)
        found = {h: measured("windowed", folder, h) for h in HEIGHTS}
        whole = measured("held", folder, large)
    rasters = f"{CHIPS} chips of 8 rasters of {large} x {WIDTH}"
    name, ours = f"{rasters}, added memory", found[large].added_bytes
    yield Row(name, "all held", whole.added_bytes, ours, goal=20, unit="MB")
    few = found[small].added_bytes
    yield Row(name, f"ours, of {small} rows", few, ours, goal=0.7, unit="MB")
