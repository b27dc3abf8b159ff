"""Which of the forms of a series a folder holds, and how it is opened."""

from pathlib import Path

from openstl_ext.datasets.lts.geotiff import GeoTIFFSeries, rasters_in
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.datasets.lts.patches import SPLITS, PatchFiles, windows_of
from openstl_ext.datasets.lts.series import Patches, Series, WindowPatches
from openstl_ext.datasets.lts.stack import STACK, LandsatStack
from openstl_ext.errors import DataError, DatasetNotFoundError
from openstl_ext.statistics import Statistics

STATISTICS = "statistics.json"
PICKLE = "norm_stats.pkl"
CONVERT = f"{PREPARE} convert --source {{root}} --root {{root}} --bands NAME [NAME ...]"


def forms_in(root: Path) -> list[str]:
    """Names of the forms that a folder holds: stack, patches, geotiff."""
    found = {
        "stack": (root / STACK).is_file(),
        "patches": (root / SPLITS).is_dir(),
        "geotiff": root.is_dir() and bool(rasters_in(root)),
    }
    return [name for name, is_there in found.items() if is_there]


def open_patches(root: Path, split: str, patch_size: int) -> Patches:
    """The samples of a split, whatever their form.

    Raises:
        DatasetNotFoundError: If the folder holds no series.
        DataError: If it holds several forms, or its files disagree.
    """
    form = _only_form(root)
    if form == "patches":
        patches: Patches = PatchFiles(root, split, patch_size)
    else:
        series = open_series(root)
        patches = WindowPatches(series, windows_of(root, split, series, patch_size))
    return patches


def open_series(source: Path, *, labelled: bool = True) -> Series:
    """An area, whatever its form.

    Args:
        source: Folder of the series; or its one array or raster.
        labelled: Whether it must have a label.

    Raises:
        DatasetNotFoundError: If there is no series.
        DataError: If there are several, or patches only, or what is there is unreadable.
    """
    if source.is_file():
        refuse_pickle(source, source.parent)
        is_array = source.suffix == ".npy"
        return (LandsatStack if is_array else GeoTIFFSeries)(source, labelled=labelled)
    form = _only_form(source)
    if form == "patches":
        raise DataError(f"{source}: holds patches, and an area is needed: a stack or GeoTIFF")
    if form == "stack":
        return LandsatStack(source / STACK, labelled=labelled)
    return GeoTIFFSeries(source, labelled=labelled)


def check_statistics(root: Path, facts: SeriesFacts, bands: tuple[str, ...]) -> None:
    """Refuse statistics that are of other bands than the series, or of these in another order.

    They may be of all bands as stored, or of those that are yielded; the preprocessor asks for
    just the latter. Without the file there is nothing to compare.

    Raises:
        DataError: If they do not fit, or are a pickle.
    """
    path = root / STATISTICS
    if not path.is_file():
        if (root / PICKLE).is_file():
            refuse_pickle(root / PICKLE, root)
        return
    read = Statistics.read(path, prepare=f"{PREPARE} statistics --root {root}")
    names = read.groups["frames"].names if "frames" in read.groups else ()
    if names not in (facts.bands, bands):
        raise DataError(
            f"{path}: statistics of {', '.join(names) or 'no band'}, but the series has "
            f"{', '.join(facts.bands)}; make them anew: {PREPARE} statistics --root {root}"
        )


def refuse_pickle(path: Path, root: Path) -> None:
    """Answer a pickle with the command that converts it.

    Raises:
        DataError: If it is one.
    """
    if path.suffix in (".pkl", ".pickle"):
        command = CONVERT.format(root=root)
        raise DataError(f"{path}: a pickle may run code and is not read; convert it: {command}")


def _only_form(root: Path) -> str:
    forms = forms_in(root)
    if len(forms) > 1:
        raise DataError(
            f"{root}: holds several forms of a series ({', '.join(forms)}); keep one a folder"
        )
    if not forms:
        if root.is_dir() and list(root.glob("landsat_stackV*.npy")):
            raise DatasetNotFoundError(root / STACK, prepare=CONVERT.format(root=root))
        raise DatasetNotFoundError(root, prepare=f"{PREPARE} --root {root} --help")
    return forms[0]
