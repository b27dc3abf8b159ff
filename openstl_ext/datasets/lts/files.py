"""Detect the format of a series in a folder and open it."""

from pathlib import Path

from openstl_ext.datasets.lts.geotiff import GeoTIFFSeries, rasters_in
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.datasets.lts.patches import SPLITS, PatchFiles, cut_command, windows_of
from openstl_ext.datasets.lts.series import Patches, Series, WindowPatches
from openstl_ext.datasets.lts.stack import STACK, LandsatStack
from openstl_ext.datasets.remedies import is_miniature
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.statistics import Statistics

STATISTICS = "statistics.json"
PICKLE = "norm_stats.pkl"
NAME_BANDS = "look up the names of the bands of the published files"
CONVERT = f"{PREPARE} convert --source {{root}} --root {{root}} --bands NAME [NAME ...]"


def forms_in(root: Path) -> list[str]:
    """Return the formats that a folder contains: stack, patches, geotiff."""
    found = {
        "stack": (root / STACK).is_file(),
        "patches": (root / SPLITS).is_dir(),
        "geotiff": root.is_dir() and bool(rasters_in(root)),
    }
    return [name for name, is_there in found.items() if is_there]


def open_patches(root: Path, split: str, patch_size: int) -> Patches:
    """Open the samples of a split in any format.

    Raises:
        DatasetNotFoundError: If the folder contains no series.
        DataError: If it contains several formats, or its files disagree.
    """
    form = _only_form(root, patch_size)
    if form == "patches":
        patches: Patches = PatchFiles(root, split, patch_size)
    else:
        series = open_series(root)
        patches = WindowPatches(series, windows_of(root, split, series, patch_size))
    return patches


def open_series(source: Path, *, labelled: bool = True) -> Series:
    """Open an area in any format.

    Args:
        source: Folder of the series, or its array or raster.
        labelled: Whether a label is required.

    Raises:
        DatasetNotFoundError: If there is no series.
        DataError: If there are several formats, or patches only, or a file is not readable.
    """
    if source.is_file():
        is_array = source.suffix == ".npy"
        return (LandsatStack if is_array else GeoTIFFSeries)(source, labelled=labelled)
    form = _only_form(source)
    if form == "patches":
        raise DataError(f"{source} contains patches, expected an area: a stack or GeoTIFFs")
    if form == "stack":
        return LandsatStack(source / STACK, labelled=labelled)
    return GeoTIFFSeries(source, labelled=labelled)


def size_of(root: Path) -> int:
    """Return the side of the patches that were cut, in pixels; 128 if it is not known."""
    path = root / FACTS
    stored = SeriesFacts.read(path, complete=False) if path.is_file() else SeriesFacts()
    return stored.patch_size or 128


def check_statistics(root: Path, facts: SeriesFacts, bands: tuple[str, ...]) -> None:
    """Reject statistics of other bands than those of the series, or in another order.

    They may be of all stored bands, or of the bands that the dataset returns; the preprocessor
    checks the latter. Without the file nothing is checked.

    Raises:
        DataError: If they do not match, or are a pickle.
    """
    path = root / STATISTICS
    if not path.is_file():
        if (root / PICKLE).is_file():
            raise DataError(
                f"{root / PICKLE}: a pickle may run code and is not read; convert it with "
                f"`{CONVERT.format(root=root)}`"
            )
        return
    prepare = f"{PREPARE} statistics --root {root}"
    read = Statistics.read(path, prepare=prepare)
    names = read.groups["frames"].names if "frames" in read.groups else ()
    if names not in (facts.bands, bands):
        raise DataError(
            f"{path}: bands are {', '.join(names) or 'none'}, but the series has "
            f"{', '.join(facts.bands)}; compute the statistics again with `{prepare}`"
        )


def _absent(root: Path) -> Path | None:
    """Return the missing file of a folder that has other files of a series; None if it has none."""
    if (root / "images").is_dir():
        return root / SPLITS / "train.txt"
    if (root / "label.tif").is_file():
        return root / "landsat_<year>.tif"
    has_array = (root / "label.npy").is_file() or any(root.glob("*_coords.npy"))
    is_published = any(root.glob("landsat_stackV*.npy"))
    return root / STACK if (has_array or (root / FACTS).is_file()) and not is_published else None


def _only_form(root: Path, patch_size: int = 128) -> str:
    forms = forms_in(root)
    if len(forms) > 1:
        raise DataError(
            f"{root} contains a series in several formats ({', '.join(forms)}); use a folder for "
            "each"
        )
    if not forms:
        if absent := _absent(root):
            raise DatasetNotFoundError(absent, prepare=f"{PREPARE} --root {root} --help")
        if root.is_dir() and any(root.glob("landsat_stackV*.npy")):
            raise DatasetNotFoundError(root, prepare=CONVERT.format(root=root), by_hand=NAME_BANDS)
        by_hand = "" if is_miniature(root) else f"put your images and label.tif into {root} by hand"
        raise DatasetNotFoundError(root, prepare=cut_command(root, patch_size), by_hand=by_hand)
    return forms[0]
