"""Small folder of rasters with known numbers, written by rasterio, not by the tested code."""

from pathlib import Path

import numpy as np

from openstl_ext.rasters.block_split import BlockSplit
from tests.rasters.files import write_tif

YEARS = (1990, 1995, 2000, 2005, 2010, 2015, 2020)
SHAPE, BLOCK, NODATA = (32, 48), 8, -1.0
NAMES = ("train", "val", "test", "calibration")


def index_of(year: int) -> np.ndarray:
    """Return the values of a year: a ramp that differs in every pixel and year."""
    ramp = np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE) / 4000
    return ramp + np.float32((year - 1990) / 100)


def write_year(root: Path, name: str, year: int, values: np.ndarray, **tags: float) -> Path:
    """Write the raster of a year."""
    return write_tif(root / f"HM_{year}_{name}_1000.tiff", values.astype(np.float32), **tags)


def write_folder(root: Path) -> None:
    """Write index AA and covariate AG of all years, temperature tas, and a split in stripes."""
    for year in YEARS:
        write_year(root, "AA", year, index_of(year), nodata=NODATA)
        write_year(root, "AG", year, index_of(year) * 2, nodata=NODATA)
    tas = index_of(1990) + 10
    write_tif(root / "hm_static_tas_1000.tiff", tas.astype(np.float32), nodata=NODATA)
    codes = np.repeat([[1, 1, 1, 2, 3, 4]], 4, axis=0)
    split = BlockSplit(
        height=SHAPE[0],
        width=SHAPE[1],
        block_size=BLOCK,
        names=NAMES,
        codes=codes,
        about={"buffer": 1},
    )
    split.write(root / "split.json")


def set_pixel(root: Path, file: str, row: int, column: int, value: float = NODATA) -> None:
    """Change one stored pixel of a file."""
    import rasterio

    with rasterio.open(root / file, "r+") as dataset:
        values = dataset.read(1)
        values[row, column] = value
        dataset.write(values, 1)
