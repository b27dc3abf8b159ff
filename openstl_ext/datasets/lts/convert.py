"""Convert the files of ST-Mamba's training script to the format of the dataset."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_path
from openstl_ext.datasets.formats.label_map import stored_classes
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.datasets.formats.safe_pickle import read_plain_pickle
from openstl_ext.datasets.lts.files import STATISTICS
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE, SeriesFacts
from openstl_ext.datasets.lts.patches import coords_file, read_corners, write_corners
from openstl_ext.datasets.lts.stack import LABEL, STACK
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import ChannelStatistics, Statistics

PUBLISHED_YEARS = tuple(year for year in range(1990, 2025) if year != 2012)
SPLITS = ("train", "val", "test")
ROWS = 256
"""Number of rows of a label that are checked together."""


@dataclass(frozen=True, kw_only=True)
class ConversionSettings:
    """Metadata that the published files do not contain.

    Args:
        bands: Name of each band, in the order of the array.
        years: Year of each image.
        patch_size: Side of the patches at the published corners, in pixels.
        nodata: Stored number that means missing; NaN always does.
        scale: A value is the stored number times this.
        unit: Unit of the values.
        ignore_index: Label of unknown pixels.
    """

    bands: tuple[str, ...]
    years: tuple[int, ...] = PUBLISHED_YEARS
    patch_size: int = 128
    nodata: float | None = None
    scale: float = 1.0
    unit: str = "1"
    ignore_index: int = 255


def convert(source: Path, root: Path, settings: ConversionSettings) -> list[str]:
    """Convert ``landsat_stack[V2].npy``, its label, corners and statistics.

    Large arrays are linked if the file system allows it, else copied; the source is not changed.

    Args:
        source: Folder of the published files.
        root: Folder of the dataset; may be the same.
        settings: Metadata that the files do not contain.

    Returns:
        A line for each result.

    Raises:
        ConfigError: If no names of bands are given.
        DataError: If a file is missing or disagrees with the others; it names the file.
    """
    if not settings.bands:
        raise ConfigError(
            "the published files contain no names of bands; give them in the order of the array, "
            "as in --bands blue green red nir"
        )
    stack, label = (_find(source, name) for name in ("landsat_stack", "label"))
    facts = SeriesFacts(
        years=settings.years,
        bands=settings.bands,
        nodata=settings.nodata,
        scale=settings.scale,
        unit=settings.unit,
        patch_size=settings.patch_size,
    )
    shape = map_numbers(stack, advice="download it again").shape
    if len(shape) != 4 or shape[:2] != (len(facts.years), len(facts.bands)):
        raise DataError(
            f"{stack}: shape is {shape}, expected ({len(facts.years)}, {len(facts.bands)}, H, W) "
            f"for {len(facts.years)} years and the bands {', '.join(facts.bands)}; correct --bands "
            "and --years"
        )
    statistics, line = _statistics(source, root, facts)
    _check_label(label, shape[2:], facts.classes, settings.ignore_index)
    corners = {split: _corners(source, split, shape, settings.patch_size) for split in SPLITS}
    # nothing is written before all inputs are checked
    root.mkdir(parents=True, exist_ok=True)
    for path, name in ((stack, STACK), (label, LABEL)):
        _link_or_copy(path, root / name)
    facts.write(root / FACTS)
    lines = [f"{STACK}: {shape} {', '.join(facts.bands)}", line]
    if statistics is not None:
        statistics.write(root / STATISTICS)
    for split, windows in corners.items():
        if windows is None:
            advice = f"`{PREPARE} cut --root {root}` draws all three"
            lines.append(f"{split}: no corners in {source}; {advice}")
            continue
        write_corners(coords_file(root, split), windows)
        lines.append(f"{split}: {len(windows)} patches")
    return lines


def _find(source: Path, stem: str) -> Path:
    second = source / f"{stem}V2.npy"
    return second if second.is_file() else source / f"{stem}.npy"


def _link_or_copy(path: Path, target: Path) -> None:
    if target.exists() and target.samefile(path):
        return
    with atomic_path(target) as part:
        part.unlink()
        with suppress(OSError):  # another disk, or a file system without links
            os.link(path, part)
        if not part.exists():
            shutil.copyfile(path, part)


def _check_label(
    path: Path, shape: tuple[int, ...], classes: Sequence[str], ignore_index: int
) -> None:
    """Reject a label of another shape or with unknown classes, some rows at a time."""
    label = map_numbers(path, advice="download it again")
    if label.shape != shape:
        raise DataError(f"{path}: shape is {label.shape}, expected {shape} as of the images")
    for row in range(0, len(label), ROWS):
        strip, place = label[row : row + ROWS], f"the strip from row {row}"
        stored_classes(strip, classes, ignore_index=ignore_index, path=path, place=place)


def _corners(
    source: Path, split: str, shape: tuple[int, ...], patch_size: int
) -> list[Window] | None:
    """Read the corners of a split; None if there is no file."""
    for name in (f"{split}_coordsV2.npy", f"{split}_coords.npy"):
        if (source / name).is_file():
            return read_corners(source / name, shape[2], shape[3], patch_size)
    return None


def _statistics(source: Path, root: Path, facts: SeriesFacts) -> tuple[Statistics | None, str]:
    """Read the statistics of the pickle or npz, with a line of report; None if there is neither."""
    for name in ("norm_stats.pkl", "norm_stats.npz"):
        path = source / name
        if not path.is_file():
            continue
        content = read_plain_pickle(path) if path.suffix == ".pkl" else _arrays(path)
        mean, std = (_per_band(path, content, key, len(facts.bands)) for key in ("mean", "std"))
        # the file describes stored numbers, the dataset returns scaled values
        found = ChannelStatistics(
            names=facts.bands,
            mean=tuple((mean * facts.scale + facts.offset).tolist()),
            std=tuple((std * abs(facts.scale)).tolist()),
        )
        about = {"taken from": name, "names": "given when it was converted"}
        return Statistics(groups={"frames": found}, about=about), f"{STATISTICS}: from {name}"
    advice = f"`{PREPARE} statistics --root {root}` computes them"
    return None, f"{STATISTICS}: no norm_stats.pkl or .npz in {source}; {advice}"


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # zipfile and numpy raise many types for a damaged archive
        raise DataError(f"{path}: not a readable npz ({error}); copy it again") from None


def _per_band(path: Path, content: Any, key: str, num_bands: int) -> np.ndarray:
    """Return one number per band from a mapping, or from a pair of mean and std."""
    if isinstance(content, Sequence) and len(content) == 2:
        content = dict(zip(("mean", "std"), content, strict=True))
    fields = content if isinstance(content, Mapping) else {}
    found = {str(name).lower().rstrip("s"): value for name, value in fields.items()}
    values = np.asarray(found.get(key, ()), np.float64).ravel()
    if len(values) != num_bands:
        raise DataError(
            f"{path}: {len(values)} numbers for {key}, but there are {num_bands} bands; the file "
            f"needs mean and std, one number per band, and has {sorted(map(str, fields))}"
        )
    return values
