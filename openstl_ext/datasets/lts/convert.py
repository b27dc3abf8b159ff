"""The files of ST-Mamba's training script, as the dataset reads them."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import PART
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
"""Rows of a label that are looked at at once."""


@dataclass(frozen=True, kw_only=True)
class ConversionRecipe:
    """What the published files do not say of themselves.

    Args:
        bands: Name of each band, in the order of the array.
        years: Of each image.
        patch_size: Side of the patches whose corners are given, in pixels.
        nodata: Stored number that means missing, beside NaN.
        scale: A value is the stored number times this.
        unit: Unit of the values.
        ignore_index: What the label says where the truth is not known.
    """

    bands: tuple[str, ...]
    years: tuple[int, ...] = PUBLISHED_YEARS
    patch_size: int = 128
    nodata: float | None = None
    scale: float = 1.0
    unit: str = "1"
    ignore_index: int = 255


def convert(source: Path, root: Path, recipe: ConversionRecipe) -> list[str]:
    """Take over ``landsat_stack[V2].npy``, its label, corners and normalisation.

    Large arrays are linked where the file system allows it, and copied otherwise; the source is
    left as it is.

    Args:
        source: Folder of the published files.
        root: Folder of the dataset; may be the same.
        recipe: What the files do not say.

    Returns:
        What was done, a line each.

    Raises:
        ConfigError: If there are no names of the bands.
        DataError: If a file is missing or disagrees with the others; it names the file.
    """
    if not recipe.bands:
        raise ConfigError(
            "the bands have no names in the published files; give them in the order of the array, "
            "as in --bands blue green red nir"
        )
    stack, label = (_find(source, name) for name in ("landsat_stack", "label"))
    facts = SeriesFacts(
        years=recipe.years,
        bands=recipe.bands,
        nodata=recipe.nodata,
        scale=recipe.scale,
        unit=recipe.unit,
        patch_size=recipe.patch_size,
    )
    shape = map_numbers(stack, advice="fetch it anew").shape
    if len(shape) != 4 or shape[:2] != (len(facts.years), len(facts.bands)):
        raise DataError(
            f"{stack}: shape {shape}, but {len(facts.years)} years and {len(facts.bands)} bands "
            f"({', '.join(facts.bands)}) need ({len(facts.years)}, {len(facts.bands)}, H, W); "
            "give the right --bands and --years"
        )
    statistics, line = _statistics(source, root, facts)
    _check_label(label, shape[2:], facts.classes, recipe.ignore_index)
    corners = {split: _corners(source, split, shape, recipe.patch_size) for split in SPLITS}
    # all makes sense: from here on something is written
    root.mkdir(parents=True, exist_ok=True)
    for path, name in ((stack, STACK), (label, LABEL)):
        _take_over(path, root / name)
    facts.write(root / FACTS)
    lines = [f"{STACK}: {shape} {', '.join(facts.bands)}", line]
    if statistics is not None:
        statistics.write(root / STATISTICS)
    for split, windows in corners.items():
        if windows is None:
            advice = f"`{PREPARE} cut --root {root}` makes all three"
            lines.append(f"{split}: no corners in {source}; {advice}")
            continue
        write_corners(coords_file(root, split), windows)
        lines.append(f"{split}: {len(windows)} patches")
    return lines


def _find(source: Path, stem: str) -> Path:
    for name in (f"{stem}V2.npy", f"{stem}.npy"):
        if (source / name).is_file():
            return source / name
    raise DataError(f"{source}: has no {stem}V2.npy, and no {stem}.npy")


def _take_over(path: Path, target: Path) -> None:
    """Link or copy a file under another name."""
    if target.exists() and target.samefile(path):
        return
    part = target.with_name(target.name + PART)
    part.unlink(missing_ok=True)
    try:
        with suppress(OSError):  # other disks, and systems without links, need a copy
            os.link(path, part)
        if not part.exists():
            shutil.copyfile(path, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _check_label(
    path: Path, shape: tuple[int, ...], classes: Sequence[str], ignore_index: int
) -> None:
    """Refuse a label that makes no sense, some rows at a time."""
    label = map_numbers(path, advice="fetch it anew")
    if label.shape != shape:
        raise DataError(f"{path}: shape {label.shape}, but the images have {shape}")
    for row in range(0, len(label), ROWS):
        strip, place = label[row : row + ROWS], f"the strip from row {row}"
        stored_classes(strip, classes, ignore_index=ignore_index, path=path, place=place)


def _corners(
    source: Path, split: str, shape: tuple[int, ...], patch_size: int
) -> list[Window] | None:
    """Those of a split, where there are some."""
    for name in (f"{split}_coordsV2.npy", f"{split}_coords.npy"):
        if (source / name).is_file():
            return read_corners(source / name, shape[2], shape[3], patch_size)
    return None


def _statistics(source: Path, root: Path, facts: SeriesFacts) -> tuple[Statistics | None, str]:
    """Those of the pickle or npz, named; none if there is neither."""
    for name in ("norm_stats.pkl", "norm_stats.npz"):
        path = source / name
        if not path.is_file():
            continue
        content = read_plain_pickle(path) if path.suffix == ".pkl" else _arrays(path)
        mean, std = (_of(path, content, key, len(facts.bands)) for key in ("mean", "std"))
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise DataError(f"{path}: mean {mean.tolist()} and std {std.tolist()} make no scale")
        # they are of the numbers as stored, and ours of the values that the dataset yields
        found = ChannelStatistics(
            names=facts.bands,
            mean=tuple((mean * facts.scale + facts.offset).tolist()),
            std=tuple((std * abs(facts.scale)).tolist()),
        )
        about = {"taken from": name, "names": "given when it was converted"}
        return Statistics(groups={"frames": found}, about=about), f"{STATISTICS}: from {name}"
    advice = f"`{PREPARE} statistics --root {root}` makes them"
    return None, f"{STATISTICS}: no norm_stats.pkl or .npz in {source}; {advice}"


def _arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # as many kinds as there are ways to damage an archive
        raise DataError(f"{path}: not a readable npz ({error})") from None


def _of(path: Path, content: Any, key: str, num_bands: int) -> np.ndarray:
    """One number a band, whatever axes of length one they had."""
    if isinstance(content, Sequence) and len(content) == 2:
        content = dict(zip(("mean", "std"), content, strict=True))
    if not isinstance(content, Mapping):
        raise DataError(f"{path}: holds a {type(content).__name__}, not mean and std")
    found = next((v for k, v in content.items() if str(k).lower().rstrip("s") == key), None)
    if found is None:
        raise DataError(f"{path}: holds {sorted(map(str, content))}, and no {key}")
    try:
        values = np.asarray(found, np.float64).ravel()
    except (TypeError, ValueError):
        raise DataError(f"{path}: its {key} are no numbers") from None
    if len(values) != num_bands:
        raise DataError(f"{path}: {len(values)} numbers for {key}, and {num_bands} bands")
    return values
