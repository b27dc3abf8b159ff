"""Lists of the months of each split, and the files that they name."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from openstl_ext.errors import DataError
from openstl_ext.leftovers import matches
from openstl_ext.text_file import read_lines

PUBLISHER = "https://mediatum.ub.tum.de/1650201"
LISTS = "dynnet_training_splits"
LABEL_PLACES = ("labels", "dynamicearthnet_test_labels", "dynamicearthnet_test_labels/labels", ".")
"""Folders of the areas with labels, below the root; the labels of val and test are a second zip."""
DATE = re.compile(r"(\d{4})[-_](\d{2})[-_](\d{2})\.tif$")
"""End of the name of a label; some areas have ``-`` in the date, others ``_``."""
MONTH = re.compile(r"\d{4}-\d{2}$")


@dataclass(frozen=True, kw_only=True)
class Month:
    """Files of one month of an area.

    Args:
        area: Name of the area with its UTM zone, as of the folder of its labels.
        month: Year and month, ``YYYY-MM``.
        images: Folder of the daily images.
        label: GeoTIFF of seven channels.
    """

    area: str
    month: str
    images: Path
    label: Path

    def image(self, day: int) -> Path:
        """Return the image of a day of the month."""
        return self.images / f"{self.month}-{day:02d}.tif"


def find_months(root: Path, split: str) -> list[Month]:
    """Return the months that the published list of a split names.

    Args:
        root: Folder of the set.
        split: One of train, val, test.

    Raises:
        DataError: If there is no list, a line has another form, or files that it names are missing.
    """
    path = root / LISTS / f"{split}.txt"
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such list; fetch {LISTS}, planet and labels from {PUBLISHER}, or "
            "set root to their folder"
        )
    labels: dict[str, dict[str, Path]] = {}
    found = []
    for number, line in enumerate(read_lines(path), start=1):
        place, fields = f"{path}:{number}", line.split()
        if len(fields) != 3 or not MONTH.match(fields[2]):
            raise DataError(
                f"{place}: is {line!r}, expected the folder of images, the label and YYYY-MM; "
                "fetch the list again"
            )
        area = _area(PurePosixPath(fields[1]), place)
        if area not in labels:
            labels[area] = _find_labels(root, area, place)
        if fields[2] not in labels[area]:
            raise DataError(
                f"{place}: {area} has no label of {fields[2]}; unpack the labels again, or remove "
                "the line"
            )
        images = _find_images(root, PurePosixPath(fields[0]), place)
        label = labels[area][fields[2]]
        found.append(Month(area=area, month=fields[2], images=images, label=label))
    if not found:
        raise DataError(f"{path}: names no month; fetch the list again")
    return found


def check_images(months: Sequence[Month], days: Sequence[int]) -> None:
    """Look up the images of some days; each folder is listed once.

    Raises:
        DataError: If one is missing.
    """
    present: dict[Path, set[str]] = {}
    for month in months:
        if month.images not in present:
            present[month.images] = set(os.listdir(month.images))
        for path in map(month.image, days):
            if path.name not in present[path.parent]:
                raise DataError(
                    f"{path}: there is no such image of {month.area}; unpack planet again, or "
                    f"remove the month from {LISTS}"
                )


def _area(label: PurePosixPath, place: str) -> str:
    """Return the folder of the area in the path of a label, ``.../<area>/Labels/Raster/...``."""
    parts = label.parts
    if "Labels" not in parts[1:]:
        raise DataError(f"{place}: {label} has no folder Labels; fetch the list again")
    return parts[parts.index("Labels", 1) - 1]


def _find_labels(root: Path, area: str, place: str) -> dict[str, Path]:
    """Return the labels of an area by month; the form of the date in a name does not matter."""
    for folder in LABEL_PLACES:
        rasters = root / folder / area / "Labels" / "Raster"
        if rasters.is_dir():
            files = matches(rasters, "**/*.tif")[::-1]  # the first day of a month wins
            dated = ((DATE.search(path.name), path) for path in files)
            return {f"{date[1]}-{date[2]}": path for date, path in dated if date}
    raise DataError(
        f"{place}: there is no folder {area}/Labels/Raster in {root / 'labels'}; unpack the labels "
        "of training, and those of val and test"
    )


def _find_images(root: Path, folder: PurePosixPath, place: str) -> Path:
    """Return the folder of images, whose first parts differ between the list and the archives."""
    inner = Path(*folder.parts[-4:])  # <zone>/<tile>/<area>/PF-SR
    whole = Path(*folder.parts[1:]) if folder.is_absolute() else Path(folder)
    for path in (root / "planet" / inner, root / whole):
        if path.is_dir():
            return path
    raise DataError(
        f"{place}: there is no folder {root / 'planet' / inner}; unpack "
        f"planet.{inner.parts[0]}.zip, or remove the line"
    )
