"""A board as CSV: one line per row, numbers without rounding, texts that no program computes."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from openstl_ext.errors import printable
from openstl_ext.results.board import Board
from openstl_ext.results.cells import mean_latency, training_times
from openstl_ext.results.published import PublishedRow, published_rows
from openstl_ext.results.row import FACTS, Row
from openstl_ext.results.table import Table

SUFFIX = "csv"
CLAIM = ["epochs", "year", "source", "source_kind", "lineage", "flags", "note"]
"""Columns of published results; ``config`` is the recipe whose gap is shown."""
PARTS = ("", "_std", "_num", "_iqm", "_iqm_low", "_iqm_high", "_tied", "_claimed")
"""Endings of the columns of a score."""
FORMULA = ("=", "+", "-", "@")
"""First characters of a text that spreadsheets compute."""


def write(board: Board) -> str:
    """Write the rows of all tables below each other, and after those of a table its claims.

    A claim has the kind ``published`` and figures in the columns ``*_claimed`` only, so that no
    column has measured and published figures. ``latency_seconds`` and ``training_seconds`` are
    means over the runs of a row.
    """
    metrics = list(dict.fromkeys(m for table in board.tables for m in table.metrics))
    columns = [
        "dataset",
        "protocol",
        "name",
        "config",
        "kind",
        "postprocessor",
        "overrides",
        "checkpoint",
        "differs",
        "seeds",
    ]
    columns += [f"{m}{part}" for m in metrics for part in PARTS]
    columns += [*FACTS, "latency_seconds", "training_seconds", "synthetic", "selected_on_test"]
    claimed = {table.protocol["fingerprint"]: published_rows(table) for table in board.tables}
    columns += CLAIM if any(claimed.values()) else []
    columns += [
        f"{m}_gap" for m in metrics if any(m in r.gaps for p in claimed.values() for r in p)
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(cell, columns))
    for table in board.tables:
        for row in table.rows:
            found = _line(table, row)
            writer.writerow([cell(found.get(column)) for column in columns])
        for published in claimed[table.protocol["fingerprint"]]:
            found = _published(table, published)
            writer.writerow([cell(found.get(column)) for column in columns])
    return out.getvalue()


def cell(value: Any) -> Any:
    """Return a number as it is, and anything else as one line of text.

    Values of a list are separated by semicolons, and a mapping is written as ``key=value``. A text
    that a spreadsheet would compute begins with an apostrophe, which spreadsheets hide.
    """
    if isinstance(value, int | float) or value is None:
        return "" if value is None else value
    line = " ".join(printable(_text(value)).split())
    return f"'{line}" if line.startswith(FORMULA) else line


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_text, value))
    return str(value)


def _line(table: Table, row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "dataset": table.name,
        "protocol": table.protocol["fingerprint"],
        "name": row.name,
        "config": row.config,
        "kind": row.kind,
        "postprocessor": row.postprocessor,
        "overrides": " ".join(row.overrides),
        "checkpoint": row.checkpoint,
        "differs": row.differs,
        "seeds": " ".join(map(str, row.seeds)),
        "synthetic": table.synthetic,
        "selected_on_test": row.selected_on_test,
    }
    for name, score in row.scores.items():
        cells[name], cells[f"{name}_std"], cells[f"{name}_num"] = score.mean, score.std, score.num
        cells[f"{name}_claimed"] = row.claimed.get(name)
        cells[f"{name}_tied"] = row.is_tied(name)
        cells[f"{name}_iqm"] = score.iqm
        cells[f"{name}_iqm_low"], cells[f"{name}_iqm_high"] = score.iqm_interval or (None, None)
    for fact in FACTS:
        values = [v for v in row.facts(fact) if v not in ([], {})]
        cells[fact] = values[0] if len(values) == 1 else values
    latency, trained = mean_latency(row), training_times(row)
    cells["latency_seconds"] = latency[0] if latency else None
    # of several devices there is no one figure; training_time has all
    cells["training_seconds"] = trained[0][0] if len(trained) == 1 else None
    return cells


def _published(table: Table, row: PublishedRow) -> dict[str, Any]:
    claim = row.claim
    return {
        "dataset": table.name,
        "protocol": table.protocol["fingerprint"],
        "name": claim.label,
        "config": row.row.config if row.row else "",
        "kind": "published",
        **{f"{name}_claimed": value for name, value in row.scores.items()},
        **{f"{name}_gap": value for name, value in row.gaps.items()},
        **{name: getattr(claim, name) for name in CLAIM if name != "flags"},
        "flags": [str(flag) for flag in claim.flags],
    }
