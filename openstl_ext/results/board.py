"""Collect the results below some folders."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from openstl_ext.errors import UserError
from openstl_ext.results.board_file import BoardFile, read_board_file, tables_in
from openstl_ext.results.record import Record, RecordError
from openstl_ext.results.table import Table, tables_of

RESULT = "result.json"
RESULTS = re.compile(r"result(_[0-9a-z]+_[0-9a-f]+)?\.json")
"""Names of records; the longer ones are of further checkpoints or protocols of a run."""
SKIP = ("saved", "checkpoints", ".")
"""Prefixes of folders without results, which may have a million frames."""


@dataclass(frozen=True)
class Board:
    """Tables of the results below some folders.

    Args:
        tables: One per protocol.
        problems: Files that were not read, a sentence each.
        repeats: Records of the same checkpoint that were found twice, a sentence each.
        places: File of each record.
        read_from: File of the whole board, which has the ties; None if it is made of the runs.
        absent: Files of records that are not there any more, or have another record.
    """

    tables: tuple[Table, ...]
    problems: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    places: tuple[tuple[Record, Path], ...] = ()
    read_from: Path | None = None
    absent: frozenset[Path] = frozenset()

    @cached_property
    def files(self) -> dict[int, Path]:
        """File of each record by the ``id`` of the record, whether it is there or not."""
        return {id(record): path for record, path in self.places}

    def has_run(self, record: Record) -> bool:
        """Return whether the file of a record of a table is there."""
        return id(record) in self.files and self.files[id(record)] not in self.absent

    def path_of(self, record: Record) -> Path:
        """Return the file of a record of a table.

        Raises:
            RecordError: If it is not there, so that what lies beside it is unknown.
        """
        if not self.has_run(record):
            raise RecordError(
                f"{self.files.get(id(record), record.config)} is not there, or of another run; "
                f"{self.read_from or 'the board'} has no tallies of samples, so give the folders "
                "of the runs in its place"
            )
        return self.files[id(record)]


def board_of(folders: Sequence[Path | str], metrics: Sequence[str] = ()) -> Board:
    """Read every result below some folders, or a board that was written as JSON.

    A result that cannot be read is skipped and listed in ``problems``.

    Args:
        folders: Folders, searched at any depth, or result files; or the JSON file of one board.
        metrics: Patterns of the scores to show, in order; see ``tables_of``.

    Raises:
        UserError: If a folder does not exist, there is no result, or a pattern matches none.
        DataError: If the file of a board is damaged or changed.
    """
    for file in (path for path in map(Path, folders) if path.is_file()):
        content = None if RESULTS.fullmatch(file.name) else read_board_file(file)
        if content is not None and len(folders) > 1:
            raise UserError(
                f"{file} is a whole board, so give it alone; for a board of more runs give the "
                "folders of all"
            )
        if content is not None:
            return _board_in(content, file, metrics)
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
            record.training_digest,
            record.protocol["fingerprint"],
            record.sha256,
            # runs without a seed cannot be distinguished but by their place
            str(path) if record.seed is None else record.seed,
        )
        if key in runs:
            pair = sorted([runs[key], (record, path)], key=lambda run: (run[0].date, run[1]))
            dropped, kept = pair
            runs[key] = kept
            repeats.append(f"{dropped[1]} repeats the run of {kept[1]}; the later one counts")
        else:
            runs[key] = (record, path)
    records = [record for record, _ in runs.values()]
    if not records and problems and all(Path(folder).is_file() for folder in folders):
        raise UserError(problems[0])
    if not records and not problems:
        places = ", ".join(map(str, folders))
        raise UserError(f"no {RESULT} below {places}; `openstl-ext test CONFIG` writes one")
    return Board(
        tables=tuple(tables_of(records, metrics)),
        problems=tuple(problems),
        repeats=tuple(sorted(repeats)),
        places=tuple(runs.values()),
    )


def _board_in(content: BoardFile, file: Path, metrics: Sequence[str]) -> Board:
    places = tuple(zip(content.records, map(Path, content.paths), strict=False))
    return Board(
        tables=tuple(tables_in(content, file, metrics)),
        problems=content.problems,
        repeats=content.repeats,
        places=places,
        read_from=file,
        absent=frozenset(path for record, path in places if not _has(path, record)),
    )


def _has(path: Path, record: Record) -> bool:
    """Return whether a file has a record."""
    try:
        return Record.read(path) == record
    except RecordError:
        return False


def found(folders: Iterable[Path | str]) -> Iterator[Path]:
    """Yield the result files below some folders, each once, in order.

    Raises:
        UserError: If a folder does not exist.
    """
    seen: set[str] = set()
    for folder in map(Path, folders):
        if not folder.exists():
            raise UserError(f"{folder} does not exist; runs are written below work_dirs/")
        for path in [folder] if folder.is_file() else sorted(_below(folder)):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _below(folder: Path) -> Iterator[Path]:
    for here, below, files in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(SKIP)]
        yield from (Path(here, name) for name in files if RESULTS.fullmatch(name))
