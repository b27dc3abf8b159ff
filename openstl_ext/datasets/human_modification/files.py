"""Find the rasters of the Human Modification index by their file names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from openstl_ext.datasets.remedies import command_for, is_miniature
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.leftovers import is_leftover

PREPARE = "openstl-ext data human-modification"
FETCH = "fetch the rasters by hand (zenodo.org/records/16907328, or those of another record)"
OF_A_YEAR = re.compile(r"HM_(\d{4})(?:_(.+))?$", re.IGNORECASE)
FIXED = re.compile(r"(?:hm_static|SRTM)_(.+)$", re.IGNORECASE)
RESOLUTION = re.compile(r"(?:^|_)\d+k?m?$", re.IGNORECASE)
"""Resolution at the end of a name: 1000, 1km."""

INDEX = "HM"
"""Variable of files without a name of one, such as HM_1990_1km.tif."""

Key = tuple[str, int | None]
"""Variable and year; None for a static variable."""


def find(root: Path, files: str = "*") -> dict[Key, list[Path]]:
    """Find the rasters of a folder and its subfolders.

    Args:
        root: The folder.
        files: Pattern of the file names to consider, such as ``*_1000.tiff``.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
    """
    if not root.is_dir():
        by_hand = "" if is_miniature(root) else f"{FETCH} into {root}"
        prepare = command_for("human-modification", root, "split")
        raise DatasetNotFoundError(root, prepare=prepare, by_hand=by_hand)
    found: dict[Key, list[Path]] = {}
    for path in sorted((*root.glob(files), *root.glob(f"*/{files}"))):
        if any(map(is_leftover, path.relative_to(root).parts)):
            continue
        if path.suffix.lower() in (".tif", ".tiff") and (key := _key(path.stem)):
            found.setdefault(key, []).append(path)
    return found


def _key(stem: str) -> Key | None:
    """Return variable and year of a file; None for other files."""
    if match := OF_A_YEAR.match(stem):
        return RESOLUTION.sub("", match[2] or "") or INDEX, int(match[1])
    if match := FIXED.match(stem):
        name = RESOLUTION.sub("", match[1])
        return (name.lower() if stem[:4].upper() == "SRTM" else name), None
    return None


def chosen(
    root: Path, found: Mapping[Key, Sequence[Path]], *, wanted: Sequence[Key]
) -> dict[Key, Path]:
    """Select the raster of each variable and year.

    Args:
        root: The folder, for messages.
        found: Rasters of the folder.
        wanted: Variables and years to select.

    Raises:
        DataError: If one is missing, with a list of the existing ones; or if two files match.
    """
    if absent := [key for key in wanted if key not in found]:
        names = {name for name, _ in absent}
        same = {key: paths for key, paths in found.items() if key[0] in names}
        existing = _listed(same) or ", ".join(dict.fromkeys(name for name, _ in found)) or "none"
        raise DataError(
            f"{root} has no raster of {_listed(absent)}; copy "
            f"{', '.join(_file_name(*key) for key in absent[:3])} there, or change years, target, "
            f"dynamic or static of the dataset; existing are: {existing}"
        )
    for key in wanted:
        if len(found[key]) > 1:
            raise DataError(
                f"{' and '.join(map(str, found[key]))} are both {_listed([key])}; select one with "
                "files, as in files='*_1000.tiff'"
            )
    return {key: found[key][0] for key in wanted}


def _listed(keys: Sequence[Key] | Mapping[Key, Sequence[Path]]) -> str:
    """List variables with their years, for messages."""
    years: dict[str, list[str]] = {}
    for name, year in keys:
        years.setdefault(name, []).extend([str(year)] if year else [])
    return "; ".join(" ".join([name, ", ".join(sorted(of))]).strip() for name, of in years.items())


def _file_name(name: str, year: int | None) -> str:
    """Return the expected name of a missing file."""
    if name == INDEX:
        return f"HM_{year}_*.tif"
    if name == "elevation":
        return "SRTM_Elevation_*.tif"
    return f"HM_{year}_{name}_*.tiff" if year else f"hm_static_{name}_*.tiff"
