"""Chips of the Human Modification rasters: peak memory of a worker, for two sizes, and time."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row
from benchmarks.mapping import CACHE, peak_bytes
from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.split import SplitRecipe, draw_split
from openstl_ext.engine.randomness import seed_everything
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)
WIDTH, HEIGHTS, CHIP, CHIPS = 2048, (1024, 8192), 128, 64
SETTINGS: dict[str, Any] = {"static": ["elevation"], "num_targets": 1, "mode": "random"}


def write_rasters(root: Path, height: int) -> None:
    """Noise with gaps for each year and for elevation, strip by strip, and a split."""
    root.mkdir()
    grid = Grid(height=height, width=WIDTH, crs="", transform=(1e3, 0.0, 0.0, 0.0, -1e3, 0.0))
    chance = np.random.default_rng(0)
    for name in (*(f"HM_{year}_1km.tif" for year in YEARS), "SRTM_Elevation_1km.tif"):
        with RasterWriter(root / name, grid, dtype="int16", scale=1e-4) as writer:
            for row in range(0, height, 256):
                values = chance.random((256, WIDTH))
                values[values > 0.95] = np.nan
                writer.write(values, Window(row, 0, 256, WIDTH))
    draw_split(root, HMChoice(), SplitRecipe())


def windowed(root: Path) -> float:
    """The package's way."""
    dataset = HumanModification(root=str(root), chips_per_epoch=CHIPS, **SETTINGS)
    total = 0.0
    for index in range(CHIPS):
        seed_everything(index)
        total += float(dataset[index]["inputs"]["frames"].nan_to_num().sum())
    return total


def held(root: Path) -> float:
    """The first published way: all rasters in memory, chips cut out of them."""
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


def measure(way: str, folder: str, height: int) -> dict[str, float]:
    """CPU seconds, and the peak memory beyond what the program takes before it."""
    read = {"windowed": windowed, "held": held}[way]
    root = Path(folder)
    read(root / "warm")
    before, start = peak_bytes(), sum(os.times()[:2])
    read(root / str(height))
    # a smaller raster has been read before, so nothing at all is what one hopes for
    beyond = max(peak_bytes() - before, 2**20)
    return {"gigabytes": beyond / 1e9, "seconds": sum(os.times()[:2]) - start}


def measured(way: str, folder: str, height: int) -> dict[str, float]:
    """The same in a process of its own, as a worker is."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    environ["GDAL_CACHEMAX"] = CACHE
    code = (
        "import json; from benchmarks.human_modification_rasters import measure; "
        f"print(json.dumps(measure({way!r}, {folder!r}, {height})))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def rows() -> Iterator[Row]:
    small, large = HEIGHTS
    with tempfile.TemporaryDirectory() as folder:
        write_rasters(Path(folder) / "warm", 768)
        for height in HEIGHTS:
            write_rasters(Path(folder) / str(height), height)
        found = {h: measured("windowed", folder, h) for h in HEIGHTS}
        whole = measured("held", folder, large)
    rasters = f"{CHIPS} chips of 8 rasters of {large} x {WIDTH}, peak memory in GB (for seconds)"
    ours = found[large]
    yield Row(rasters, "all held", whole["gigabytes"], ours["gigabytes"], goal=20)
    yield Row(
        "the same", f"ours, of {small} rows", found[small]["gigabytes"], ours["gigabytes"], goal=0.7
    )
