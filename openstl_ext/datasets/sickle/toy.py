"""Small synthetic set in the layout of SICKLE."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_write
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.sickle.scenes import MAY_LACK, TABLES
from openstl_ext.datasets.sickle.table import COLUMNS, FILE
from openstl_ext.datasets.synthetic.class_maps import paint, write_raster
from openstl_ext.datasets.synthetic.marker import mark

NAMES = {
    "S1": "S1A_IW_GRDH_1SDV_2018{0}T003025_0000",
    "S2": "2018{0}T050000_2018{0}T051000_T44PLT",
    "L8": "LC08_143053_2018{0}",
}
DAYS = ("0110", "0225", "0412", "0601")
SPLITS = ("train", "train", "train", "train", "val", "val")
SIDE = 12
"""Rows and columns of a chip of Landsat 8 and of masks of 30 m."""
SCALE = {"S1": 3, "S2": 3, "L8": 1, "3m": 9, "10m": 3, "30m": 1}
"""Pixels of a raster in one of Landsat 8, along each axis."""


def write_toy(root: Path) -> None:
    """Write six chips of four dates; each has its own plot and that of the next chip.

    Args:
        root: Folder to write to.
    """
    mark(root, "SICKLE")
    rng = np.random.default_rng(0)
    rows = [",".join(COLUMNS)]
    for number, split in enumerate(SPLITS):
        plots = np.zeros((SIDE, SIDE))
        plots[1:-1, 1:6], plots[1:-1, 7:-1] = 100 + number, 100 + (number + 1) % len(SPLITS)
        crops = np.where(plots == 0, 0, np.where(plots % 2 == 0, 1, 5))
        rows.append(f"{number + 1},{100 + number},jan-jun,2018,{split}")
        layers = np.stack([plots, crops, *[np.zeros_like(plots)] * 4]).astype(np.float32)
        for folder in ("3m", "10m", "30m"):
            path = root / "masks" / folder / f"{number + 1}.tif"
            write_raster(path, np.kron(layers, np.ones((1, SCALE[folder], SCALE[folder]))), crs="")
        for sensor in TABLES:
            _write_images(rng, root / "images" / sensor / "npy" / str(number + 1), sensor, crops)
    atomic_write(root / FILE, ("\n".join(rows) + "\n").encode())


def _write_images(
    rng: np.random.Generator, folder: Path, sensor: str, crops: NDArray[np.int64]
) -> None:
    """Write the dates of one sensor; the last image of Landsat 8 has no ST_B10."""
    bands = Sensor.read(TABLES[sensor]).all_bands
    low, high = (np.array([getattr(band, key) for band in bands]) for key in ("low", "high"))
    classes = np.kron(np.minimum(crops, 2), np.ones((SCALE[sensor],) * 2)).astype(np.int64)
    levels = low + (high - low) * np.array([[0.5], [0.3], [0.7]])
    for day in DAYS:
        scaled = paint(rng, classes, (levels - low) / (high - low), 0.1)
        values = low[:, None, None] + (high - low)[:, None, None] * scaled
        arrays = {
            band.name.replace("B0", "B"): plane.astype(np.float32)
            for band, plane in zip(bands, values, strict=True)
            if (band.name, day) != (MAY_LACK, DAYS[-1])
        }
        with atomic_file(folder / f"{NAMES[sensor].format(day)}.npz") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
