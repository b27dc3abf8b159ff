"""Small sets of scenes in the form of the published ones."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.scenes.files import SceneFacts
from openstl_ext.datasets.scenes.split_lists import RULES, list_name
from openstl_ext.datasets.scenes.split_rules import write_lists
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.rasters.crs import named_crs
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

NUM_CLASSES, NUM_IMAGES = 3, 6


def write_toy(root: Path, facts: SceneFacts, *, size: int, uneven: bool = False) -> None:
    """Write images of three classes, and the lists of the default rule and of our own ones.

    A class has a spectrum of its own, and the first also stripes; noise is drawn from a seed.

    Args:
        root: Folder to write to.
        facts: Form of the set.
        size: Side of the images, in pixels.
        uneven: Whether every third image has fewer rows.
    """
    mark(root, facts.title)
    random = np.random.default_rng(0)
    sensor = Sensor.read(facts.sensor)
    folder = root / facts.folders[0]
    for label, name in enumerate(facts.classes[:NUM_CLASSES]):
        for number in range(1, NUM_IMAGES + 1):
            height = size - 3 if uneven and number % 3 == 0 else size
            image = _image(sensor, label, (height, size), random)
            path = folder / name / f"{_stem(facts, name, number)}{facts.suffix}"
            if len(sensor.all_bands) == 3:
                _write_picture(path, image)
            else:
                _write_raster(path, image, column=NUM_IMAGES * label + number)
    for rule in RULES:
        if rule in facts.lists:
            write_lists(root, facts, rule)
    for split in SPLITS if "published" in facts.lists else ():
        lines = (root / list_name(facts, "stratified", split)).read_text().split()
        names = [line.rpartition("/")[2] for line in lines]  # as published, without the folder
        atomic_write(root / list_name(facts, "published", split), "\n".join(names).encode())


def _stem(facts: SceneFacts, name: str, number: int) -> str:
    """Return the name of a file as in the published set."""
    forms = {
        "eurosat": f"{name}_{number}",
        "resisc45": f"{name}_{number:03d}",
        "uc_merced": f"{name}{number:02d}",
    }
    return forms.get(facts.name, f"{name[0].lower()}{name[1:]}_{number:02d}")


def _image(
    sensor: Sensor, label: int, shape: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    """Return values (bands, *shape) between the limits of each band."""
    bands = np.arange(len(sensor.all_bands)).reshape(-1, 1, 1)
    level = 0.5 + 0.3 * np.cos(2 * np.pi * (bands / len(bands) + label / NUM_CLASSES))
    share = level + random.normal(scale=0.05, size=(len(bands), *shape))
    if label == 0:
        share[:, ::4] -= 0.1
    low, high = (
        np.array([getattr(band, key) for band in sensor.all_bands]).reshape(-1, 1, 1)
        for key in ("low", "high")
    )
    return low + np.clip(share, 0, 1) * (high - low)


def _write_picture(path: Path, image: np.ndarray) -> None:
    data = io.BytesIO()
    form = "TIFF" if path.suffix == ".tif" else "JPEG"
    Image.fromarray(np.rint(image).astype(np.uint8).transpose(1, 2, 0)).save(data, form)
    atomic_write(path, data.getvalue())


def _write_raster(path: Path, image: np.ndarray, *, column: int) -> None:
    """Write a GeoTIFF in zone 35 of UTM; ``column`` counts images from the west."""
    bands, height, width = image.shape
    west = 300_000.0 + 10 * width * column
    crs = named_crs("EPSG:32635", what="the CRS of the toy set").to_wkt()
    grid = Grid(height=height, width=width, crs=crs, transform=(10, 0, west, 0, -10, 5_000_000))
    with RasterWriter(path, grid, num_bands=bands, dtype="uint16", block=16) as writer:
        for number, values in enumerate(np.rint(image).astype(np.uint16), start=1):
            writer.write(values, Window(0, 0, height, width), number)
