"""A board as CSV: one line per row, numbers without rounding."""

import csv
import io
import json
from typing import Any

from openstl_ext.results.board import Board
from openstl_ext.results.protocol import plain
from openstl_ext.results.table import FACTS, Row, Table

SUFFIX = "csv"


def write(board: Board) -> str:
    """Write the rows of all tables below each other."""
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
        "seeds",
    ]
    columns += [f"{m}{part}" for m in metrics for part in ("", "_std", "_num", "_claimed")]
    columns += [*FACTS, "synthetic", "selected_on_test"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for table in board.tables:
        for row in table.rows:
            writer.writerow(_line(table, row))
    return out.getvalue()


def _line(table: Table, row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "dataset": table.protocol["metainfo"].get("name", ""),
        "protocol": table.protocol["fingerprint"],
        "name": row.name,
        "config": row.config,
        "kind": row.kind,
        "postprocessor": row.postprocessor,
        "overrides": " ".join(row.overrides),
        "checkpoint": row.checkpoint,
        "seeds": " ".join(map(str, row.seeds)),
        "synthetic": table.synthetic,
        "selected_on_test": row.selected_on_test,
    }
    for name, score in row.scores.items():
        cells[name], cells[f"{name}_std"], cells[f"{name}_num"] = score.mean, score.std, score.num
        cells[f"{name}_claimed"] = row.claimed.get(name)
    for fact in FACTS:
        values = [v for v in row.facts(fact) if v not in ([], {})]
        bare = len(values) == 1 and isinstance(values[0], int | float)
        # several values are written as JSON, which a program can read
        cells[fact] = values[0] if bare else json.dumps(plain(values)) if values else ""
    return {key: "" if value is None else value for key, value in cells.items()}
