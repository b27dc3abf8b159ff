"""Write synthetic land cover as seen by several sensors: pairs of images, and scenes by class."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.land_cover import CLASSES, Scene, draw_scene, observed
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

CRS = "EPSG:32633"
EAST, NORTH = 500_000.0, 5_200_000.0
PELICAN: Mapping[str, Any] = {
    "about": "Pelican, a fictitious sensor: five bands that no published table has",
    "bands": [
        {"name": "violet", "band": "pelican_violet", "low": 0, "high": 3000},
        {"name": "yellow", "band": "pelican_yellow", "low": 0, "high": 4000},
        {"name": "edge", "band": "pelican_edge", "low": 0, "high": 5000},
        {"name": "infrared", "band": "pelican_infrared", "low": 0, "high": 6000},
        {"name": "short_wave", "band": "pelican_short_wave", "low": 0, "high": 5000},
    ],
    "spectrum": {
        "pelican_violet": {"min_nm": 405, "max_nm": 440},
        "pelican_yellow": {"min_nm": 580, "max_nm": 620},
        "pelican_edge": {"min_nm": 710, "max_nm": 735},
        "pelican_infrared": {"min_nm": 880, "max_nm": 930},
        "pelican_short_wave": {"min_nm": 1750, "max_nm": 1900},
    },
}
"""Table of a sensor for tests of bands that were not seen in training."""


@dataclass(frozen=True, kw_only=True)
class SceneSize:
    """Size of synthetic scenes.

    Args:
        side: Side of a scene, in metres.
        cell: Side of a cell, in metres; all sizes of pixels are multiples of it.
        seed: Seed of all scenes.
    """

    side: float = 640.0
    cell: float = 5.0
    seed: int = 0


USUAL = SceneSize()


@dataclass(frozen=True)
class View:
    """Sensor of an image.

    Args:
        sensor: Name of a table, or path of a JSON file.
        pixel_size: Side of a pixel, in metres.
    """

    sensor: str
    pixel_size: float


def write_sensor(path: Path) -> None:
    """Write the table of the fictitious sensor ``PELICAN``."""
    bands = [{**band, "mean": 0.35, "std": 0.2} for band in PELICAN["bands"]]
    atomic_write(path, json.dumps({**PELICAN, "bands": bands}, indent=1).encode())


def write_pairs(
    root: Path, views: tuple[View, View], counts: Mapping[str, int], *, size: SceneSize = USUAL
) -> None:
    """Write pairs of images of one place each, for two sensors.

    Files: ``<sensor>/<split>_<number>.tif`` and ``<split>.txt``, a line ``first second`` for each
    pair. The classes of the places are equally frequent.

    Args:
        root: Folder to write to.
        views: Both sensors; their folders have the names of the tables.
        counts: Number of pairs of each split.
        size: Size of the scenes.
    """
    sensors = [Sensor.read(view.sensor) for view in views]
    folders = [sensor.name for sensor in sensors]
    if folders[0] == folders[1]:
        folders = [f"first_{folders[0]}", f"second_{folders[1]}"]
    mark(root, "pairs of images of two sensors")
    for split, count in counts.items():
        lines = []
        for number in range(count):
            rng = _generator(size, "pairs", split, number)
            scene = draw_scene(rng, _class_of(number), side=size.side, cell=size.cell)
            names = [f"{folder}/{split}_{number:04d}.tif" for folder in folders]
            for name, view, sensor in zip(names, views, sensors, strict=True):
                _write(root / name, scene, sensor, view.pixel_size, rng, number)
            lines.append(" ".join(names))
        _write_list(root / f"{split}.txt", lines)


def write_classes(
    root: Path, view: View, counts: Mapping[str, int], *, size: SceneSize = USUAL
) -> None:
    """Write scenes of one sensor in a folder for each class, of which they show the most.

    Files: ``<class>/<class>_<number>.tif`` and ``<split>.txt``, a path for each line. Scenes with
    equal numbers and seeds show the same land for any sensor, other than that of the pairs.

    Args:
        root: Folder to write to.
        view: The sensor.
        counts: Number of scenes of each split.
        size: Size of the scenes.
    """
    sensor = Sensor.read(view.sensor)
    mark(root, f"scenes of {sensor.name} by class")
    start = 0
    for split, count in counts.items():
        lines = []
        for number in range(start, start + count):
            name = _class_of(number)
            rng = _generator(size, "classes", "", number)
            scene = draw_scene(rng, name, side=size.side, cell=size.cell)
            path = f"{name}/{name}_{number:04d}.tif"
            _write(root / path, scene, sensor, view.pixel_size, rng, number)
            lines.append(path)
        start += count
        _write_list(root / f"{split}.txt", lines)


def write_toy(root: Path) -> None:
    """Write two sets of very few pairs, ``optical`` and ``radar``."""
    mark(root, "pairs of images of several sensors")
    size = SceneSize(side=240, cell=10)
    counts = {"train": 5, "val": 3, "test": 3}
    sentinel2 = View("sentinel2_l2a", 10)
    write_pairs(root / "optical", (View("rgb", 10), View("sentinel2_l2a", 20)), counts, size=size)
    write_pairs(root / "radar", (sentinel2, View("sentinel1_grd", 10)), counts, size=size)


def _class_of(number: int) -> str:
    return list(CLASSES)[number % len(CLASSES)]


def _generator(size: SceneSize, *place: str | int) -> np.random.Generator:
    """Return the generator of a scene, which does not depend on the number of others."""
    words = [number for part in place for number in str(part).encode()]
    return np.random.default_rng([size.seed, *words])


def _write_list(path: Path, lines: list[str]) -> None:
    atomic_write(path, "".join(f"{line}\n" for line in lines).encode())


def _write(
    path: Path,
    scene: Scene,
    sensor: Sensor,
    pixel_size: float,
    rng: np.random.Generator,
    number: int,
) -> None:
    """Write the image of a scene as a GeoTIFF, at a place of its own."""
    values = observed(scene, sensor, pixel_size, rng)
    whole = all(band.low >= 0 for band in sensor.all_bands)  # digital numbers, not dB
    side = values.shape[-1]
    column, row = number % 100, number // 100
    step = side * pixel_size * 1.5
    grid = Grid(
        height=side,
        width=side,
        crs=_wkt(),
        transform=(pixel_size, 0, EAST + column * step, 0, -pixel_size, NORTH - row * step),
    )
    block = 16 * -(-side // 16)
    with RasterWriter(
        path,
        grid,
        num_bands=len(values),
        dtype="uint16" if whole else "float32",
        descriptions=[band.name for band in sensor.all_bands],
        block=block,
    ) as writer:
        _write_bands(writer, values, Window(0, 0, side, side))


def _write_bands(writer: RasterWriter, values: NDArray[np.float32], window: Window) -> None:
    for band, plane in enumerate(values, start=1):
        writer.write(plane, window, band)


@lru_cache(maxsize=1)
def _wkt() -> str:
    return str(rasterio().crs.CRS.from_string(CRS).to_wkt())
