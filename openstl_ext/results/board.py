"""Collect the results under some folders; tell apart what cannot be read from what can."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.errors import UserError
from openstl_ext.results.record import Record, RecordError
from openstl_ext.results.table import Table, tables_of

RESULT = "result.json"
SKIP = ("saved", "checkpoints", ".")
"""How folders begin that hold no results, but perhaps a million frames."""


@dataclass(frozen=True)
class Board:
    """What the results under some folders say.

    Args:
        tables: One a protocol.
        problems: Files that were skipped, a sentence each.
        repeats: Runs that were found twice, a sentence each.
    """

    tables: tuple[Table, ...]
    problems: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()


def board_of(folders: Sequence[Path | str], metrics: Sequence[str] = ()) -> Board:
    """Read every result under some folders.

    One broken file does not take the others with it: it is skipped and named.

    Args:
        folders: Where to look, at any depth; a file is taken as it is.
        metrics: Patterns of the metrics to show, in order; by default all but single lead times.

    Raises:
        UserError: If a folder does not exist, there is no result at all, or a pattern fits none.
    """
    problems: list[str] = []
    repeats: list[str] = []
    runs: dict[tuple[object, ...], tuple[Record, Path]] = {}
    for path in found(folders):
        try:
            record = Record.read(path)
        except RecordError as error:
            problems.append(str(error))
            continue
        key = (
            record.config,
            tuple(record.overrides),
            record.protocol["fingerprint"],
            # without a seed nobody can tell two runs from one
            str(path) if record.seed is None else record.seed,
        )
        if key in runs:
            pair = sorted([runs[key], (record, path)], key=lambda run: (run[0].date, run[1]))
            dropped, kept = pair
            runs[key] = kept
            repeats.append(f"{dropped[1]} is the run of {kept[1]} again; the later one counts")
        else:
            runs[key] = (record, path)
    records = [record for record, _ in runs.values()]
    if not records and not problems:
        places = ", ".join(map(str, folders))
        raise UserError(f"no {RESULT} under {places}; `openstl-ext test CONFIG` writes one")
    return Board(tuple(tables_of(records, metrics)), tuple(problems), tuple(sorted(repeats)))


def found(folders: Iterable[Path | str]) -> Iterator[Path]:
    """Result files under some folders, each once, in order.

    Raises:
        UserError: If a folder does not exist.
    """
    seen: set[str] = set()
    for folder in map(Path, folders):
        if not folder.exists():
            raise UserError(f"there is no {folder}; runs are written below work_dirs/")
        for path in [folder] if folder.is_file() else sorted(_below(folder)):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _below(folder: Path) -> Iterator[Path]:
    for here, below, files in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(SKIP)]
        if RESULT in files:
            yield Path(here, RESULT)
