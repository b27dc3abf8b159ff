"""The folders ``ROIs0000_test`` and ``ROIs0000_validation`` of DFC2020."""

import re
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.label_maps import num_held_out
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.leftovers import matches
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window

PARTS = {"train": "test", "val": "test", "test": "validation"}
"""Published part from which each split is taken, as in the file of the CROMA benchmarks."""
CLASSES = (-1, 0, 1, -1, 2, 3, 4, 5, -1, 6, 7)
"""Class of each stored label 0 to 10; -1 for none, Savanna (3) and Snow/Ice (8)."""
NUMBER = re.compile(r"_p(\d+)$")


class PatchFolders:
    """Patches of one split, each a raster of labels and one of each sensor.

    Args:
        root: Folder with the two folders.
        split: One of train, val, test.
        val_fraction: Share of the patches of ``ROIs0000_test`` for validation.

    Raises:
        DataError: If there is no patch.
        ConfigError: If the split is empty.
    """

    def __init__(self, root: Path, split: str, *, val_fraction: float) -> None:
        folder = root / f"ROIs0000_{PARTS[split]}"
        labels = sorted(matches(folder, "dfc_*/*_dfc_*.tif"), key=_order)
        if not labels:
            raise DataError(f"{folder}: no label dfc_*/*_dfc_*_p<N>.tif; unpack DFC2020 again")
        if PARTS[split] == "test":
            cut = len(labels) - num_held_out(len(labels), val_fraction)
            labels = labels[:cut] if split == "train" else labels[cut:]
        if not labels:
            raise ConfigError(
                f"{folder}: nothing is left for {split} with val_fraction={val_fraction:g}; use "
                "another share"
            )
        self.labels = labels

    def check(self, sensors: Iterable[str]) -> None:
        """Look up the images of some sensors.

        Raises:
            DataError: If a patch has none.
        """
        for sensor, label in product(sensors, self.labels):
            if not self.image(label, sensor).is_file():
                raise DataError(
                    f"{self.image(label, sensor)}: there is no such image of {label.name}; unpack "
                    "DFC2020 again, or name bands of the other sensor"
                )

    @staticmethod
    def image(label: Path, sensor: str) -> Path:
        """Return the raster of a sensor, ``s1`` or ``s2``, of a patch."""
        kind = label.parent.name.replace("dfc", sensor, 1)
        return label.parents[1] / kind / label.name.replace("_dfc_", f"_{sensor}_")

    def __len__(self) -> int:
        return len(self.labels)

    def read_labels(self, index: int) -> NDArray[np.int64]:
        """Read the classes of a patch; -1 where there is none.

        Raises:
            DataError: If a number is not a label.
        """
        path = self.labels[index]
        raster = RasterFile(path, codes=True)
        height, width = raster.dataset.shape
        stored = raster.read([1], Window(0, 0, height, width), nodata=[None])[0]
        raster.dataset.close()
        stored = np.where(np.isnan(stored), 0, stored)
        if not np.isin(stored, range(len(CLASSES))).all():
            odd = stored[~np.isin(stored, range(len(CLASSES)))][0]
            raise DataError(f"{path}: has the label {odd:g}, expected 0 to 10; fetch it again")
        return np.asarray(CLASSES)[stored.astype(np.int64)]

    def name(self, index: int) -> str:
        """Return the name of the raster of labels."""
        return self.labels[index].stem

    def block(self, index: int) -> str:
        """Return the name of the patch, which is one sample."""
        return self.name(index)


def _order(path: Path) -> tuple[str, int, str]:
    number = NUMBER.search(path.stem)
    return path.parent.name, int(number[1]) if number else 0, path.name


def is_patch_folders(root: Path) -> bool:
    """Return whether a folder has the original folders."""
    return any((root / f"ROIs0000_{part}").is_dir() for part in set(PARTS.values()))


def patch_path(root: Path, part: str, token: str, number: int) -> Path:
    """Return the path of a raster, as published.

    Args:
        root: Folder of the set.
        part: ``test`` or ``validation``.
        token: ``s1``, ``s2`` or ``dfc``.
        number: Number of the patch.
    """
    place = "0" if part == "test" else part
    folder = root / f"ROIs0000_{part}" / f"{token}_{place}"
    return folder / f"ROIs0000_{part}_{token}_0_p{number}.tif"
