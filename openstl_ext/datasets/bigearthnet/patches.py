"""Patches of BigEarthNet: folders with one GeoTIFF a band."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import torch
from torch.nn.functional import interpolate

from openstl_ext.datasets.bigearthnet.nomenclature import class_ids
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window

SensorName = Literal["sentinel2", "sentinel1"]
Version = Literal[1, 2]

SIDE = 120
"""Rows and columns of a patch at 10 m, to which all bands are resampled."""
TABLES = {"sentinel2": "sentinel2_l2a", "sentinel1": "sentinel1_grd"}
FOLDERS = {
    (1, "sentinel2"): ("BigEarthNet-v1.0", "S2"),
    (1, "sentinel1"): ("BigEarthNet-S1-v1.0", "S1"),
    (2, "sentinel2"): ("BigEarthNet-S2",),
    (2, "sentinel1"): ("BigEarthNet-S1",),
}
"""Folder below the root by version and sensor: of the archives, and as SMARTIES renames it."""
MAPS = "Reference_Maps"
"""Folder of the maps of version 2."""
PARENT_FIELDS = {"sentinel2": 2, "sentinel1": 3}
"""Fields at the end of the name of a patch that the name of its folder in version 2 lacks."""
ARCHIVES = {
    1: "BigEarthNet-S2-v1.0.tar.gz and BigEarthNet-S1-v1.0.tar.gz of zenodo.org/records/12687186",
    2: "BigEarthNet-S2.tar.zst and BigEarthNet-S1.tar.zst of zenodo.org/records/10891137",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """One place of the earth.

    Args:
        s2: Name of the patch of Sentinel-2; empty if the list has only Sentinel-1.
        s1: Name of the patch of Sentinel-1; empty if the list has only Sentinel-2.
        classes: Ids of its classes; None where they are in the files of the patch.
    """

    s2: str = ""
    s1: str = ""
    classes: tuple[int, ...] | None = None

    @property
    def id(self) -> str:
        """Name that is unique in the set."""
        return self.s2 or self.s1

    def name(self, sensor: str) -> str:
        """Return the name of the patch of a sensor."""
        return self.s2 if sensor == "sentinel2" else self.s1


class LabelFile(msgspec.Struct):
    """Fields of ``<patch>_labels_metadata.json`` that are used."""

    labels: list[str]


class PatchFolders:
    """Folders of the patches of some sensors.

    Args:
        root: Folder of the set.
        version: 1, or 2 for reBEN.
        sensors: The sensors.

    Raises:
        DataError: If the folder of a sensor is missing.
    """

    def __init__(self, root: Path, version: Version, sensors: Sequence[str]) -> None:
        self.version = version
        self.folders: dict[str, Path] = {}
        for sensor in sensors:
            names = FOLDERS[version, sensor]
            found = [root / name for name in names if (root / name).is_dir()]
            if not found:
                raise DataError(
                    f"{root}: has no folder {' or '.join(names)} with the patches of {sensor}; "
                    f"unpack {ARCHIVES[version]} there, or correct root, version or sensors"
                )
            self.folders[sensor] = found[0]

    def folder(self, sensor: str, name: str) -> Path:
        """Return the folder of a patch."""
        if self.version == 1:
            return self.folders[sensor] / name
        return self.folders[sensor] / name.rsplit("_", PARENT_FIELDS[sensor])[0] / name

    def read(self, sensor: str, name: str, table: Sensor) -> np.ndarray:
        """Read the bands of a patch, each resampled bilinearly to 120 x 120 pixels.

        Args:
            sensor: The sensor.
            name: Name of the patch.
            table: The bands, by their names in the product.

        Shape:
            - returns: (C, 120, 120), float32, in units of the files: reflectance times 10,000 or
              dB; NaN where there is no data.

        Raises:
            DataError: If there is no such patch, or bands of it are missing.
        """
        paths = self.band_files(sensor, name, [band.name for band in table.bands])
        return np.concatenate([_to_side(read_band(path)) for path in paths])

    def band_files(self, sensor: str, name: str, bands: Sequence[str]) -> list[Path]:
        """Return the files of the bands of a patch.

        Raises:
            DataError: If there is no such patch, or bands of it are missing.
        """
        folder = self.folder(sensor, name)
        if not folder.is_dir():
            raise DataError(
                f"{folder}: there is no such patch; unpack the archive again, or remove the patch "
                "from the list"
            )
        paths = [folder / f"{name}_{band}.tif" for band in bands]
        if missing := [path.name for path in paths if not path.is_file()]:
            raise DataError(
                f"{folder}: band files are missing: {', '.join(missing)}; unpack the archive again"
            )
        return paths

    def classes(self, patch: Patch) -> tuple[int, ...]:
        """Return the ids of the classes of a patch, from its JSON file in version 1.

        Raises:
            DataError: If the file is missing, or its labels are unknown or none has a class.
        """
        if patch.classes is not None:
            return patch.classes
        sensor = next(iter(self.folders))
        name = patch.name(sensor)
        path = self.folder(sensor, name) / f"{name}_labels_metadata.json"
        advice = "unpack the archive again"
        return class_ids(read_json(path, LabelFile, advice=advice).labels, str(path))


def read_band(path: Path, *, codes: bool = False) -> np.ndarray:
    """Read a raster of one band.

    Args:
        path: A GeoTIFF.
        codes: Whether its numbers are codes, of which any may occur.

    Shape:
        - returns: (1, H, W), float32, so that fractions of dB are kept.

    Raises:
        DataError: If it is no GeoTIFF, or has several bands.
    """
    raster = RasterFile(path, codes=codes)
    if raster.dataset.count != 1:
        raise DataError(
            f"{path}: has {raster.dataset.count} bands, expected one; unpack the archive again"
        )
    window = Window(0, 0, raster.grid.height, raster.grid.width)
    values = raster.read([1], window, nodata=[None])
    raster.dataset.close()
    return values


def _to_side(band: np.ndarray) -> np.ndarray:
    """Resample a band (1, H, W) to the side of a patch; a gap keeps its size.

    As GDAL does, pixels beyond the edge have the value at the edge.
    """
    missing = np.isnan(band)
    if band.shape[1:] == (SIDE, SIDE):
        return band
    if missing.all() or not missing.any():
        return _bilinear(band)
    filled = np.where(missing, np.float32(np.nanmedian(band)), band)
    is_gap = _bilinear(missing.astype(np.float32)) > 0.5
    return np.where(is_gap, np.float32(np.nan), _bilinear(filled))


def _bilinear(band: np.ndarray) -> np.ndarray:
    size = (SIDE, SIDE)
    return interpolate(torch.from_numpy(band)[None], size, mode="bilinear")[0].numpy()


def paired(lines: Iterator[Sequence[str]], path: Path) -> Iterator[Patch]:
    """Yield the patches of lines with the names of Sentinel-2 and Sentinel-1 in version 1.

    Raises:
        DataError: If a line does not have two names, or they are not of one place.
    """
    for fields in lines:
        if len(fields) != 2 or not fields[0].startswith("S2") or not fields[1].startswith("S1"):
            raise DataError(
                f"{path}: {' '.join(fields)[:80]!r} is not a pair of a Sentinel-2 and a Sentinel-1 "
                "patch; fetch the list again"
            )
        check_pair(fields[0], fields[1], path)
        yield Patch(fields[0], fields[1])


def check_pair(s2: str, s1: str, path: Path) -> None:
    """Compare the place of two patches: the last two fields of a name count patches in a tile.

    The field before is the tile, which only Sentinel-2 of version 1 lacks: ``33UUP`` or ``T33UUP``.

    Raises:
        DataError: If they are of two places; it names the file of the pair.
    """
    tile, *place = s1.split("_")[-3:]
    other, *other_place = s2.split("_")[-3:]
    if place != other_place or (other.startswith("T") and other != f"T{tile}"):
        raise DataError(f"{path}: {s2} and {s1} are not of one place; correct the pair")
