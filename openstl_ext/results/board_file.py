"""A board that was written as JSON, read back: records, ties and published results."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from openstl_ext.errors import DataError
from openstl_ext.results.claims import Claim
from openstl_ext.results.record import SCHEMA, Record
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table, tables_of
from openstl_ext.text_file import read_text


class FileScore(msgspec.Struct, frozen=True):
    """What is kept of a score: the mean as a check, and the tie, which needs tallies.

    ``tied`` is null where it was not tested.
    """

    mean: float | None
    tied: bool | None


class FileRow(msgspec.Struct, frozen=True):
    """What distinguishes a row, and its scores."""

    name: str
    config: str
    postprocessor: str
    overrides: tuple[str, ...]
    checkpoint: str
    differs: tuple[str, ...]
    dates: tuple[str, ...]
    scores: dict[str, FileScore]


class FileClaim(msgspec.Struct, frozen=True):
    """A published result beside a table."""

    claim: Claim


class FileTable(msgspec.Struct, frozen=True):
    """A table; the names of its metrics are the columns."""

    protocol: dict[str, Any]
    metrics: dict[str, Any]
    rows: list[FileRow]
    published: list[FileClaim]


class BoardFile(msgspec.Struct, frozen=True):
    """Content of the file.

    Args:
        tables: Tables as they were shown.
        records: Each run once and whole.
        problems: Files that were not read.
        repeats: Runs that were found twice.
        paths: File of each record, or nothing.
    """

    tables: list[FileTable]
    records: list[Record]
    problems: tuple[str, ...]
    repeats: tuple[str, ...]
    paths: tuple[str, ...] = ()


def read_board_file(path: Path) -> BoardFile | None:
    """Read a file of ``leaderboard --json``; None if it is another file.

    Raises:
        DataError: If it is damaged, or its records are of another schema.
    """
    try:
        content = json.loads(read_text(path), parse_constant=_refuse)
    except (DataError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or "tables" not in content:
        return None
    then = "write it again with `openstl-ext leaderboard WORK_DIR --json FILE`"
    records = content.get("records")
    for record in records if isinstance(records, list) else ():
        schema = record.get("schema") if isinstance(record, dict) else None
        if schema != SCHEMA:
            raise DataError(f"{path}: a record has schema {schema}, not {SCHEMA}; {then}")
    try:
        found = msgspec.convert(content, BoardFile)
    except (ValueError, OverflowError) as error:  # errors of msgspec are ValueErrors
        raise DataError(f"{path}: {error}; {then}") from None
    if found.paths and len(found.paths) != len(found.records):
        raise DataError(f"{path}: {len(found.paths)} paths of {len(found.records)} records; {then}")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def tables_in(file: BoardFile, path: Path, patterns: Sequence[str] = ()) -> list[Table]:
    """Make the tables of the records of a file, with its ties and published results.

    Args:
        file: The content.
        path: The file, for messages.
        patterns: Scores to show, as for ``tables_of``; by default those of the file. Scores that
            the file does not show have no ties.

    Raises:
        DataError: If the tables of the file are not those of its records.
        UserError: If a pattern matches no score.
    """
    shown = {str(table.protocol.get("fingerprint")): table for table in file.tables}
    columns = {fingerprint: list(table.metrics) for fingerprint, table in shown.items()}
    tables = tables_of(file.records, patterns, None if patterns else columns)
    if {table.protocol["fingerprint"] for table in tables} != shown.keys():
        raise DataError(f"{path}: the records are not those of the tables; write it again")
    return [_as_shown(table, shown[table.protocol["fingerprint"]], path) for table in tables]


def _as_shown(table: Table, shown: FileTable, path: Path) -> Table:
    known = {_key(row, row.dates): row for row in shown.rows}
    rows = []
    for row in table.rows:
        same = known.get(_key(row, () if row.is_baseline else tuple(r.date for r in row.records)))
        if same is None or any(
            row.scores[name].mean != score.mean
            for name, score in same.scores.items()
            if name in row.scores
        ):
            raise DataError(
                f"{path}: the row {row.label} is not that of its records; the file was changed, "
                "so write it again"
            )
        tied = frozenset(name for name, score in same.scores.items() if score.tied)
        tested = frozenset(n for n, score in same.scores.items() if score.tied is not None)
        rows.append(replace(row, tied=tied & row.scores.keys(), tested=tested & row.scores.keys()))
    if len(rows) != len(shown.rows):
        raise DataError(f"{path}: the rows are not those of the records; write it again")
    claims = {each.claim.key: each.claim for each in shown.published}
    return replace(table, rows=tuple(rows), claims=tuple(claims.values()))


def _key(row: Row | FileRow, dates: tuple[str, ...]) -> tuple[object, ...]:
    facts = (row.name, row.config, row.postprocessor, row.overrides, row.checkpoint, row.differs)
    return (*facts, dates)
