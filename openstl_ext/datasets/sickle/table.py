"""Table of the plots and seasons of SICKLE, and the plots of each split."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from openstl_ext.datasets.label_maps import held_out
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.text_file import read_text

PUBLISHER = "https://github.com/Depanshu-Sani/SICKLE"
FILE = "sickle_dataset_tabular.csv"
COLUMNS = ("UNIQUE_ID", "PLOT_ID", "STANDARD_SEASON", "YEAR", "SPLIT")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One place in one season.

    Args:
        name: ``UNIQUE_ID`` of the table, the name of the folders of images.
        start: First day of the season.
        plot: Number of the plot of its row in the table.
    """

    name: str
    start: date
    plot: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """Chips of a split, and the plots whose pixels belong to it.

    Args:
        chips: Chips in the order of the table.
        plots: Numbers of the plots; a chip may show plots of another split, too.
    """

    chips: tuple[Chip, ...]
    plots: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class _Row:
    chip: Chip
    split: str


def read_part(root: Path, split: str, val_fraction: float) -> Part:
    """Read the table and return the part of a split.

    ``test`` has the plots of the published val, because labels of the published test are withheld.
    ``val`` has some plots of the published train, evenly spread over their numbers, and ``train``
    the others. A plot that is published in train and in val belongs to ``test`` only.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        val_fraction: Share of the training plots for validation.

    Raises:
        DataError: If there is no table, or a column is missing or a field cannot be read.
        ConfigError: If the split is empty.
    """
    rows = _rows(root / FILE)
    tested = {row.chip.plot for row in rows if row.split == "val"}
    trained = {row.chip.plot for row in rows if row.split == "train"} - tested
    names = held_out([f"{plot:09d}" for plot in trained], val_fraction)
    validated = {int(name) for name in names}
    plots = {"train": trained - validated, "val": validated, "test": tested}[split]
    published = "val" if split == "test" else "train"
    own = (row.chip for row in rows if row.chip.plot in plots and row.split == published)
    chips = {chip.name: chip for chip in own}
    if not chips:
        raise ConfigError(
            f"{root / FILE}: nothing is left for {split} with val_fraction={val_fraction:g}; use "
            "another share"
        )
    return Part(chips=tuple(chips.values()), plots=frozenset(plots))


def _rows(path: Path) -> list[_Row]:
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such table; fetch the set as {PUBLISHER} describes, or set root "
            "to its folder"
        )
    lines = csv.DictReader(read_text(path).split("\n"))
    if missing := [name for name in COLUMNS if name not in (lines.fieldnames or ())]:
        raise DataError(f"{path}: has no column {', '.join(missing)}; fetch the table again")
    return [_row(fields, f"{path}:{lines.line_num}") for fields in lines]


def _row(fields: dict[str, str], place: str) -> _Row:
    season = fields["STANDARD_SEASON"] or ""
    month = season.strip()[:3].lower()
    try:
        start = date(int(float(fields["YEAR"])), MONTHS.index(month) + 1, 1)
        plot = int(float(fields["PLOT_ID"]))
    except (TypeError, ValueError):
        raise DataError(
            f"{place}: PLOT_ID, YEAR and STANDARD_SEASON are {fields['PLOT_ID']!r}, "
            f"{fields['YEAR']!r} and {season!r}, expected numbers and months such as 'jan-jun'; "
            "correct the line"
        ) from None
    chip = Chip(name=(fields["UNIQUE_ID"] or "").strip(), start=start, plot=plot)
    return _Row(chip=chip, split=(fields["SPLIT"] or "").strip().lower())
