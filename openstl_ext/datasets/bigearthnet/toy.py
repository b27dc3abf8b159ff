"""Small set of patches in the form of BigEarthNet, versions 1 and 2."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from openstl_ext.atomic_io import atomic_folder, atomic_write
from openstl_ext.datasets.bigearthnet.metadata import JSON, SPLIT_NAMES
from openstl_ext.datasets.bigearthnet.patches import FOLDERS, MAPS, PARENT_FIELDS, TABLES
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.rasters.opening import rasterio, small_cache

SIDE = 24
"""Pixels of a patch at 10 m."""
PIXELS_10M = {"B02", "B03", "B04", "B08", "VV", "VH"}
PIXELS_60M = {"B01", "B09"}
COVERS = {
    ("Sea and ocean",): ("Marine waters", 523),
    ("Coniferous forest", "Mixed forest"): ("Coniferous forest", 312),
    ("Rice fields", "Airports"): ("Arable land", 213),
}
"""Labels of version 1, and label and code of version 2, of the patches of one kind."""
SPLITS = ("train", "train", "validation", "test")
"""Split of the patches of each kind."""


def write_toy(root: Path) -> None:
    """Write four patches of each of three kinds of land cover, in both versions.

    Values depend on the kind; noise is drawn from a seed.
    """
    mark(root, "BigEarthNet")
    pairs: dict[str, list[str]] = {name: [] for name in SPLIT_NAMES.values()}
    rows: list[dict[str, object]] = []
    with ExitStack() as stack:
        names = [*(FOLDERS[key][0] for key in FOLDERS), MAPS]
        folders = {name: stack.enter_context(atomic_folder(root / name)) for name in names}
        stack.enter_context(small_cache())
        _write_patches(folders, pairs, rows)
    for split, lines in pairs.items():
        atomic_write(root / f"bigearthnet-{split}.csv", "".join(lines).encode())
    atomic_write(root / JSON, json.dumps(rows, indent=1).encode())


def _write_patches(
    folders: Mapping[str, Path], pairs: dict[str, list[str]], rows: list[dict[str, object]]
) -> None:
    """Write all patches, and append to the lines of version 1 and the rows of version 2."""
    random = np.random.default_rng(0)
    for kind, (labels, (label, code)) in enumerate(COVERS.items()):
        for number, split in enumerate(SPLITS):
            place = f"{10 * kind}_{number}"
            s1 = f"S1A_IW_GRDH_1SDV_20170613T165043_33UUP_{place}"
            old, new = (
                f"S2A_MSIL2A_20170613T101031_{place}",
                f"S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_{place}",
            )
            for version, s2 in ((1, old), (2, new)):
                for sensor, name in (("sentinel2", s2), ("sentinel1", s1)):
                    folder = _folder(folders, version, sensor, name)
                    bands = _bands(Sensor.read(TABLES[sensor]), kind, random)
                    _write_bands(folder, name, bands, kind, number)
                    if version == 1:
                        metadata = {"labels": labels, "tile_source": "synthetic"}
                        path = folder / f"{name}_labels_metadata.json"
                        path.write_text(json.dumps(metadata), encoding="utf-8")
            _write_map(folders[MAPS], new, code, kind, number)
            pairs[SPLIT_NAMES[split]].append(f"{old},{s1}\n")
            rows.append({"patch_id": new, "s1_name": s1, "split": split, "labels": [label]})


def _folder(folders: Mapping[str, Path], version: int, sensor: str, name: str) -> Path:
    """Make the folder of a patch."""
    folder = folders[FOLDERS[version, sensor][0]]
    if version == 2:
        folder = folder / name.rsplit("_", PARENT_FIELDS[sensor])[0]
    (folder / name).mkdir(parents=True)
    return folder / name


def _bands(sensor: Sensor, kind: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return values of each band between its limits, of its own size."""
    bands = {}
    for number, band in enumerate(sensor.bands):
        phase = number / len(sensor.bands) + kind / len(COVERS)
        side = SIDE if band.name in PIXELS_10M else SIDE // 6 if band.name in PIXELS_60M else 12
        share = 0.5 + 0.3 * np.cos(2 * np.pi * phase) + random.normal(scale=0.05, size=(side, side))
        bands[band.name] = band.low + np.clip(share, 0, 1) * (band.high - band.low)
    return bands


def _write_bands(
    folder: Path, name: str, bands: Mapping[str, np.ndarray], kind: int, number: int
) -> None:
    for band, values in bands.items():
        is_radar = band in ("VV", "VH")
        stored = values.astype(np.float32) if is_radar else np.rint(values).astype(np.uint16)
        _write(folder / f"{name}_{band}.tif", stored, kind, number)


def _write_map(maps: Path, name: str, code: int, kind: int, number: int) -> None:
    """Write a map of one class, with airports (124) in the first row, which has no class."""
    codes = np.full((SIDE, SIDE), code, np.uint16)
    codes[0] = 124
    folder = maps / name.rsplit("_", 2)[0] / name
    folder.mkdir(parents=True)
    _write(folder / f"{name}_reference_map.tif", codes, kind, number)


def _write(path: Path, values: np.ndarray, kind: int, number: int) -> None:
    rio, side = rasterio(), len(values)
    pixel = 10.0 * SIDE / side
    west, north = 300_000.0 + 10 * SIDE * 10 * kind, 5_400_000.0 - 10 * SIDE * number
    form = {"driver": "GTiff", "dtype": values.dtype.name, "width": side, "height": side}
    form |= {"count": 1, "crs": "EPSG:32633"}
    form["transform"] = rio.Affine(pixel, 0, west, 0, -pixel, north)
    with rio.open(path, "w", **form) as raster:
        raster.write(values, 1)
