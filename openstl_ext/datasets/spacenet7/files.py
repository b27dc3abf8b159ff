"""Folders of areas, their months, and lists of the areas of each split."""

import re
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.leftovers import matches
from openstl_ext.text_file import read_lines

UNPACK = "tar -xzf SN7_buildings_train.tar.gz -C {root}"
FETCH = "fetch SN7_buildings_train.tar.gz by hand (s3://spacenet-dataset/spacenet/SN7_buildings/tarballs/)"
PREPARE = "openstl-ext data spacenet7 --root {root}"
PLACES = (".", "train", "train/train", "SN7_buildings/train", "SN7_buildings/train/train")
"""Folders of the areas, below the root; archives differ in the number of levels."""
MONTH = re.compile(r"_(\d{4}_\d{2})_mosaic_")
TURN = ("train", "train", "val", "train", "test")
"""Splits of the areas in the order of their names, over and over: 60, 20 and 20 percent."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """Files of one month of an area.

    Args:
        area: Name of the area.
        image: GeoTIFF of red, green, blue and alpha.
    """

    area: str
    image: Path

    @property
    def name(self) -> str:
        """Area, year and month."""
        match = MONTH.search(self.image.name)
        return f"{self.area}_{match[1]}" if match else self.image.stem

    @property
    def buildings(self) -> Path:
        """Polygons of the buildings."""
        return self._beside("labels", "_Buildings.geojson")

    @property
    def unusable(self) -> Path:
        """Polygons of pixels that are not usable; need not exist."""
        return self._beside("labels", "_UDM.geojson")

    @property
    def unusable_mask(self) -> Path:
        """Raster of pixels that are not usable; exists only for months that have some."""
        return self._beside("UDM_masks", "_UDM.tif")

    def _beside(self, folder: str, ending: str) -> Path:
        return self.image.parents[1] / folder / f"{self.image.stem}{ending}"


def find_areas(root: Path) -> dict[str, Path]:
    """Return the folders of all areas with labels, by name and in its order.

    Raises:
        DatasetNotFoundError: If there is none.
    """
    for place in PLACES:
        folders = [path.parent for path in matches(root / place, "*/labels") if path.is_dir()]
        if folders:
            return {folder.name: folder for folder in folders}
    raise DatasetNotFoundError(root, prepare=UNPACK.format(root=root), by_hand=FETCH)


def list_path(root: Path, split: str) -> Path:
    """Return the list of the areas of a split."""
    return root / "splits" / f"{split}.txt"


def write_splits(root: Path) -> list[str]:
    """Write the lists of areas, one name a line.

    In the order of their names, which goes around the earth, areas become train, train, val,
    train, test, and so on, so that every split has areas of all regions.

    Args:
        root: Folder of the set.

    Returns:
        A line for each list.

    Raises:
        DataError: If there are fewer than five areas, so that a split would be empty.
    """
    areas = list(find_areas(root))
    if len(areas) < len(TURN):
        raise DataError(
            f"{root}: {len(areas)} areas with labels, but train, val and test need at least "
            f"{len(TURN)}; unpack the whole training set"
        )
    lines = []
    for split in SPLITS:
        own = [area for i, area in enumerate(areas) if TURN[i % len(TURN)] == split]
        atomic_write(list_path(root, split), "".join(f"{area}\n" for area in own).encode())
        lines.append(f"{list_path(root, split)}: {len(own)} areas")
    return lines


def find_months(root: Path, split: str, images: str) -> list[Month]:
    """Return the months of the areas of a split, sorted by area and time.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        images: Folder of the images in that of an area.

    Raises:
        DatasetNotFoundError: If there are no areas or no list.
        DataError: If a listed area or the label of an image is missing.
    """
    areas = find_areas(root)
    path = list_path(root, split)
    if not path.is_file():
        raise DatasetNotFoundError(path, prepare=PREPARE.format(root=root))
    found: list[Month] = []
    for area in read_lines(path):
        if area not in areas:
            raise DataError(f"{path}: {area!r} is no area with labels in {root}; unpack it")
        months = [
            Month(area=area, image=image)
            for image in matches(areas[area] / images, "*.tif")
            if MONTH.search(image.name)
        ]
        if not months:
            raise DataError(f"{areas[area] / images}: no image of a month; unpack the set again")
        found += months
    for month in found:
        if not month.buildings.is_file():
            raise DataError(f"{month.buildings}: there is no such label; unpack the set again")
    return found
