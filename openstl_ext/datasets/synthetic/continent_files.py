"""Write a synthetic continent as GeoTIFFs of the Human Modification index."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.human_modification.rasters import PRESSURES, STATICS, YEARS, HMChoice
from openstl_ext.datasets.human_modification.split import SplitSettings, draw_split
from openstl_ext.datasets.human_modification.statistics import measure_training
from openstl_ext.datasets.synthetic.continent import Continent, draw
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

CRS = "EPSG:6933"
"""Equal-area cylindrical projection, metres."""

WEST, NORTH, PIXEL = 1_200_000.0, 1_900_000.0, 1000.0
NODATA, SCALE = -32768, 1e-4
SIMPLE_VALUES = "0-10000"
"""Range of the index in the files of the simple version; that of the direct one is 0-1."""

REGION = "region.geojson"
AMOUNTS = ("gdp", "population")
"""Covariates that are not shares."""


@dataclass(frozen=True, kw_only=True)
class ContinentSettings:
    """Size of a synthetic set.

    Args:
        shape: Rows and columns.
        split: Parameters of the block split.
        tile: Side of a tile of a file, in pixels.
        seed: Seed of the continent.
    """

    shape: tuple[int, int]
    split: SplitSettings
    tile: int
    seed: int = 0


# larger shares for test and calibration than published: with a tenth, 15 blocks, the standard error
# of a coverage is at least 0.01, and a margin is as uncertain
SHARES = {"train": 0.5, "val": 0.1, "test": 0.2, "calibration": 0.2}
MINIATURE = ContinentSettings(
    shape=(768, 960),
    split=SplitSettings(chip_size=32, buffer=4, min_valid=0.5, shares=SHARES),
    tile=128,
)
TOY = ContinentSettings(
    shape=(96, 128), split=SplitSettings(chip_size=16, buffer=2, min_valid=0.3), tile=32
)


def write(root: Path, settings: ContinentSettings) -> list[str]:
    """Write all variables under both naming schemes, the split, the statistics and a region.

    ``HM_<year>_1km.tif`` contains the index from 0 to 10000 as integers, ``HM_<year>_AA_1000.tiff``
    the same from 0 to 1 as integers with a scale, so one folder serves both versions.

    Args:
        root: Folder to write to.
        settings: Size of the set.

    Returns:
        Lines about the split.

    Raises:
        UserError: If rasterio is not installed.
    """
    rio = rasterio()
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "Human Modification")
    continent = draw(shape=settings.shape, years=YEARS, seed=settings.seed)
    height, width = settings.shape
    grid = Grid(
        height=height,
        width=width,
        crs=rio.crs.CRS.from_user_input(CRS).to_wkt(),
        transform=(PIXEL, 0.0, WEST, 0.0, -PIXEL, NORTH),
    )
    _write_rasters(root, continent, grid, settings.tile)
    _write_region(root, grid)
    simple = HMChoice(target="HM", static=("elevation",), values=SIMPLE_VALUES)
    direct = HMChoice(target="AA", dynamic=PRESSURES, static=STATICS)
    lines = draw_split(root, simple, settings.split)
    for name, choice in (("simple", simple), ("direct", direct)):
        measure_training(root, choice).write(root / f"statistics_{name}.json")
    return lines


def write_toy(root: Path) -> None:
    """Write a small set for tests."""
    write(root, TOY)


def _write_rasters(root: Path, continent: Continent, grid: Grid, tile: int) -> None:
    def save(name: str, values: NDArray[Any], dtype: str, scale: float = 1.0) -> None:
        window = Window(0, 0, grid.height, grid.width)
        with RasterWriter(
            root / name, grid, dtype=dtype, nodata=NODATA, block=tile, scale=scale
        ) as writer:
            writer.write(values, window)

    for step, year in enumerate(continent.years):
        index = continent.index[step]
        save(f"HM_{year}_1km.tif", index.astype(np.float64) / SCALE, "int16")
        save(f"HM_{year}_AA_1000.tiff", index, "int16", SCALE)
        for name, maps in continent.yearly.items():
            kind = ("float32", 1.0) if name in AMOUNTS else ("int16", SCALE)
            save(f"HM_{year}_{name}_1000.tiff", maps[step], *kind)
    for name, values in continent.fixed.items():
        save(f"hm_static_{name}_1000.tiff", values, "float32")
    save("SRTM_Elevation_1km.tif", continent.fixed["ele"], "int16")


def _write_region(root: Path, grid: Grid) -> None:
    """Write a part of the continent as GeoJSON, in longitude and latitude."""
    rows, columns = (np.array([0.3, 0.7]) * n for n in (grid.height, grid.width))
    corners = []
    for row, column in ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0)):
        point = lonlat(grid, Window(int(rows[row]), int(columns[column]), 1, 1))[:, 0, 0]
        corners.append([round(float(v), 5) for v in point])
    polygon = {"type": "Polygon", "coordinates": [corners]}
    feature = {"type": "Feature", "properties": {"name": "interior"}, "geometry": polygon}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]}, indent=1)
    atomic_write(root / REGION, (text + "\n").encode())
