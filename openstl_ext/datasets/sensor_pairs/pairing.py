"""Rules that pair the images of published sets: fMoW with fMoW-Sentinel, and BigEarthNet."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec

from openstl_ext.datasets.sensor_pairs.pair_list import Names
from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.leftovers import entries, matches
from openstl_ext.text_file import read_text

Moments = dict[str, datetime]
"""Time of each image, by its path relative to the root."""
COLUMNS = ("category", "location_id", "image_id", "timestamp")
METADATA = "_labels_metadata.json"


class _Taken(msgspec.Struct, frozen=True):
    timestamp: str


class _OfRadar(msgspec.Struct, frozen=True):
    corresponding_s2_patch: Annotated[str, msgspec.Meta(min_length=1)]


def pair_fmow(root: Path, rgb: str, sentinel: str, split: str) -> list[Names]:
    """Pair fMoW-RGB with fMoW-Sentinel: per location the two images whose times are nearest.

    Files:
        ``<rgb>/<split>/<category>/<location>/<location>_<t>_rgb.jpg`` with a ``.json`` that has
        ``timestamp``; ``<sentinel>/<split>.csv`` with the columns ``COLUMNS``, and
        ``<sentinel>/<split>/<category>/<location>/<location>_<image_id>.tif``. A location is called
        ``<category>_<location_id>``.

    Args:
        root: Folder to which the returned paths are relative.
        rgb: Folder of fMoW-RGB in it.
        sentinel: Folder of fMoW-Sentinel in it.
        split: Name of the folder and of the csv, such as ``train``.

    Returns:
        RGB first, sorted by location. Between pairs of images with equal distances the first by
        name is taken. Locations of only one set, and images without a file, are passed over.

    Raises:
        DataError: If a folder, a column or a time is missing, or no location is in both.
    """
    seen = _fmow_sentinel(root, sentinel, split)
    found = []
    for location, images in _fmow_rgb(root, rgb, split):
        if location not in seen:
            continue
        choices = [
            (abs(moment - other), first, second)
            for first, moment in images.items()
            for second, other in seen[location].items()
            if (root / second).is_file()
        ]
        if choices:
            _, first, second = min(choices)
            found.append((first, second))
    if not found:
        raise DataError(f"{root / rgb / split} and {root / sentinel / split} share no location")
    return sorted(found)


def _fmow_rgb(root: Path, rgb: str, split: str) -> Iterator[tuple[str, Moments]]:
    """Yield each location, and the times of its images."""
    folder = _folder(root / rgb / split)
    for place in [path for category in entries(folder) for path in matches(category, "*/")]:
        images = {}
        for image in matches(place, "*_rgb.jpg"):
            facts = image.with_suffix(".json")
            moment = _moment(read_json(facts, _Taken).timestamp, str(facts))
            images[image.relative_to(root).as_posix()] = moment
        if images:
            yield place.name, images


def _fmow_sentinel(root: Path, sentinel: str, split: str) -> Mapping[str, Moments]:
    """Return the times of the images of each location, as listed."""
    path = _folder(root / sentinel) / f"{split}.csv"
    rows = csv.DictReader(io.StringIO(read_text(path)))
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise DataError(f"{path}: has no column {', '.join(missing)}")
    found: dict[str, Moments] = defaultdict(dict)
    for row in rows:
        place = f"{row['category']}_{row['location_id']}"
        image = f"{sentinel}/{split}/{row['category']}/{place}/{place}_{row['image_id']}.tif"
        moment = _moment(row["timestamp"], f"{path}: line {rows.line_num}")
        found[place][Path(image).as_posix()] = moment
    return found


def _moment(text: str, place: str) -> datetime:
    """Parse an ISO time; one without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise DataError(f"{place}: timestamp {text!r} is no ISO 8601 time") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def pair_bigearthnet(
    root: Path, optical: str, radar: str, table: Path | None = None
) -> list[Names]:
    """Pair the patches of BigEarthNet v1: Sentinel-2 with Sentinel-1.

    Args:
        root: Folder to which the returned paths are relative.
        optical: Folder of the Sentinel-2 patches in it.
        radar: Folder of the Sentinel-1 patches in it.
        table: A csv of lines ``s2_name,s1_name`` without a header, as published for each split. If
            not given, every radar patch is paired with the ``corresponding_s2_patch`` of its
            ``<patch>_labels_metadata.json``.

    Returns:
        Sentinel-2 first, sorted by name. Pairs of which a folder is missing are passed over.

    Raises:
        DataError: If a folder is missing, a line or metadata are wrong, or no pair is complete.
    """
    folders = _folder(root / optical), _folder(root / radar)
    names = _patches_of(table) if table else _patches_in(folders[1])
    present = [{path.name for path in entries(folder)} for folder in folders]
    found = {
        (Path(optical, first).as_posix(), Path(radar, second).as_posix())
        for first, second in names
        if first in present[0] and second in present[1]
    }
    if not found:
        raise DataError(f"{folders[0]} and {folders[1]} have no pair of {table or 'the metadata'}")
    return sorted(found)


def _patches_of(table: Path) -> list[Names]:
    found = []
    for number, row in enumerate(csv.reader(io.StringIO(read_text(table))), start=1):
        if len(row) != 2:
            raise DataError(f"{table}: line {number} has {len(row)} columns, expected s2, s1")
        found.append((row[0].strip(), row[1].strip()))
    return found


def _patches_in(folder: Path) -> list[Names]:
    patches = [path for path in entries(folder) if path.is_dir()]
    return [
        (read_json(path / f"{path.name}{METADATA}", _OfRadar).corresponding_s2_patch, path.name)
        for path in patches
    ]


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise DataError(f"{path}: there is no such folder; correct the arguments")
    return path
