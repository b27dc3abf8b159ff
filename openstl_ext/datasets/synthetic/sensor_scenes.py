"""Write synthetic land cover as seen by several sensors: pairs of images, and scenes by class."""

import errno
import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_folder, atomic_write
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.land_cover import CLASSES, draw_scene, observed
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.errors import UserError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.opening import rasterio

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

    side: float = 320.0
    cell: float = 10.0
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
        root: Folder to write to; folders of the sensors in it are replaced.
        views: Both sensors; their folders have the names of the tables.
        counts: Number of pairs of each split.
        size: Size of the scenes.
    """
    sensors = [Sensor.read(view.sensor) for view in views]
    folders = [sensor.name for sensor in sensors]
    if folders[0] == folders[1]:
        folders = [f"first_{folders[0]}", f"second_{folders[1]}"]
    mark(root, "pairs of images of two sensors")
    with ExitStack() as stack:
        parts = [stack.enter_context(atomic_folder(root / folder)) for folder in folders]
        for split, count in counts.items():
            for number in tracked(range(count), f"drawing {split} pairs", "places"):
                rng = _generator(size, "pairs", split, number)
                scene = draw_scene(rng, _class_of(number), side=size.side, cell=size.cell)
                for part, view, sensor in zip(parts, views, sensors, strict=True):
                    values = observed(scene, sensor, view.pixel_size, rng)
                    path = part / f"{split}_{number:04d}.tif"
                    _write(path, values, sensor, view.pixel_size, number)
    for split, count in counts.items():
        names = [f"{split}_{number:04d}.tif" for number in range(count)]
        lines = [" ".join(f"{folder}/{name}" for folder in folders) for name in names]
        _write_list(root / f"{split}.txt", lines)


def write_classes(
    root: Path, view: View, counts: Mapping[str, int], *, size: SceneSize = USUAL
) -> None:
    """Write scenes of one sensor in a folder for each class, of which they show the most.

    Files: ``<class>/<class>_<number>.tif`` and ``<split>.txt``, a path for each line. Scenes with
    equal numbers and sizes show the same land for any sensor, other than that of the pairs.

    Args:
        root: Folder to write to; folders of the classes in it are replaced.
        view: The sensor.
        counts: Number of scenes of each split.
        size: Size of the scenes.
    """
    sensor = Sensor.read(view.sensor)
    mark(root, f"scenes of {sensor.name} by class")
    names = [_class_of(number) for number in range(sum(counts.values()))]
    with ExitStack() as stack:
        parts = {name: stack.enter_context(atomic_folder(root / name)) for name in CLASSES}
        for number, name in enumerate(tracked(names, "drawing", "scenes")):
            rng = _generator(size, "classes", "", number)
            scene = draw_scene(rng, name, side=size.side, cell=size.cell)
            values = observed(scene, sensor, view.pixel_size, rng)
            path = parts[name] / f"{name}_{number:04d}.tif"
            _write(path, values, sensor, view.pixel_size, number)
    lines = [f"{name}/{name}_{number:04d}.tif" for number, name in enumerate(names)]
    start = 0
    for split, count in counts.items():
        _write_list(root / f"{split}.txt", lines[start : start + count])
        start += count


def write_world(root: Path, *, num_pairs: int, num_scenes: int, size: SceneSize = USUAL) -> None:
    """Write all that a demonstration of pre-training needs.

    Files: sets of pairs ``optical`` (RGB and Sentinel-2) and ``radar`` (Sentinel-2 and Sentinel-1);
    scenes by class in ``scenes/<sensor>`` for Sentinel-2, Sentinel-1 and a sensor without pairs,
    whose table is ``pelican.json``.

    Args:
        root: Folder to write to.
        num_pairs: Training pairs of each set; a tenth as many for val, and for test.
        num_scenes: Training scenes of each sensor; half as many for val, four times as many for
            test, where the intervals of scores depend on them.
        size: Size of the scenes.
    """
    mark(root, "pairs and scenes of several sensors")
    write_sensor(root / "pelican.json")
    optical, radar = View("sentinel2_l2a", 10), View("sentinel1_grd", 10)
    pairs = {"train": num_pairs, "val": -(-num_pairs // 10), "test": -(-num_pairs // 10)}
    fine = replace(size, cell=5)
    write_pairs(root / "optical", (View("rgb", 5), optical), pairs, size=fine)
    write_pairs(root / "radar", (optical, radar), pairs, size=size)
    scenes = {"train": num_scenes, "val": -(-num_scenes // 2), "test": 4 * num_scenes}
    for view in (optical, radar, View(str(root / "pelican.json"), 20)):
        write_classes(root / "scenes" / Path(view.sensor).stem, view, scenes, size=size)


def write_toy(root: Path) -> None:
    """Write two sets of very few pairs, ``optical`` and ``radar``."""
    mark(root, "pairs of images of several sensors")
    size = SceneSize(side=240)
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
    path: Path, values: NDArray[np.float32], sensor: Sensor, pixel_size: float, number: int
) -> None:
    """Write an image as a GeoTIFF, at a place of its own, without compression."""
    rio, side = rasterio(), values.shape[-1]
    step = side * pixel_size * 1.5
    east, north = EAST + number % 100 * step, NORTH - number // 100 * step
    if all(band.low >= 0 for band in sensor.all_bands):  # bytes or other whole numbers, not dB
        most = max(band.high for band in sensor.all_bands)
        values = np.rint(values).astype(np.uint8 if most <= 255 else np.uint16)
    form = {"driver": "GTiff", "dtype": values.dtype.name, "crs": _crs()}
    form |= {"count": len(values), "height": side, "width": side, "interleave": "band"}
    form |= {"transform": rio.Affine(pixel_size, 0, east, 0, -pixel_size, north)}
    try:
        with rio.open(path, "w", **form) as file:
            file.write(values)
            file.descriptions = [band.name for band in sensor.all_bands]
    except rio.errors.RasterioError as error:
        raise UserError(f"{path} cannot be written: {error}; free disk space") from error
    if path.stat().st_size < values.nbytes:  # on a full disk GDAL closes a file without an error
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


@lru_cache(maxsize=1)
def _crs() -> Any:
    return rasterio().crs.CRS.from_string(CRS)
