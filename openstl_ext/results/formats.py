"""A board as Markdown, CSV and JSON: the same board, the same bytes."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from openstl_ext.results.board import Board
from openstl_ext.results.markdown import markdown
from openstl_ext.results.protocol import plain
from openstl_ext.results.table import Row, Table, higher_is_better

FACTS = ("num_parameters", "flops", "flops_apart", "uncounted", "frames_per_second")


def as_csv(board: Board) -> str:
    """One line a row, all tables below each other; numbers in full."""
    metrics = list(dict.fromkeys(m for table in board.tables for m in table.metrics))
    columns = ["dataset", "protocol", "name", "config", "kind", "overrides", "seeds"]
    columns += [f"{m}{part}" for m in metrics for part in ("", "_std", "_num", "_claimed")]
    columns += [*FACTS, "synthetic", "selected_on_test"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for table in board.tables:
        for row in table.rows:
            writer.writerow(_line(table, row))
    return out.getvalue()


def as_json(board: Board) -> str:
    """Everything, nested, with each protocol in full."""
    tables = [
        {
            "protocol": table.protocol,
            "differs": list(table.differs),
            "beside": table.beside,
            "synthetic": table.synthetic,
            "metrics": {
                name: {**table.about.get(name, {}), "best": table.best(name)}
                | {"higher_is_better": higher_is_better(table.about, name)}
                for name in table.metrics
            },
            "rows": [_object(row) for row in table.rows],
        }
        for table in board.tables
    ]
    content = {"tables": tables, "problems": board.problems, "repeats": board.repeats}
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


WRITERS: dict[str, Callable[[Board], str]] = {"md": markdown, "csv": as_csv, "json": as_json}
"""By suffix. A new format is a function from a board to a text, and an entry here."""


def _object(row: Row) -> dict[str, Any]:
    scores = {
        name: {"mean": s.mean, "std": s.std, "num": s.num, "claimed": row.claimed.get(name)}
        for name, s in row.scores.items()
    }
    return {
        "name": row.name,
        "config": row.config,
        "kind": _kind(row),
        "overrides": row.overrides,
        "seeds": _seeds(row),
        "scores": scores,
        "selected_on_test": row.selected_on_test,
        **{fact: row.facts(fact) for fact in FACTS},
        "checkpoints": [] if row.is_baseline else [r.checkpoint for r in row.records],
        "dates": [] if row.is_baseline else [r.date for r in row.records],
        "environments": row.facts("environment"),
        "sources": row.facts("source"),
    }


def _line(table: Table, row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "dataset": table.protocol["metainfo"].get("name", ""),
        "protocol": table.protocol["fingerprint"],
        "name": row.name,
        "config": row.config,
        "kind": _kind(row),
        "overrides": " ".join(row.overrides),
        "seeds": " ".join(map(str, _seeds(row))),
        "synthetic": table.synthetic,
        "selected_on_test": row.selected_on_test,
    }
    for name, score in row.scores.items():
        cells[name], cells[f"{name}_std"], cells[f"{name}_num"] = score.mean, score.std, score.num
        cells[f"{name}_claimed"] = row.claimed.get(name)
    for fact in FACTS:
        values = [v for v in row.facts(fact) if v not in ([], {})]
        bare = len(values) == 1 and isinstance(values[0], int | float)
        # what is no single number stays readable by a machine
        cells[fact] = values[0] if bare else json.dumps(plain(values)) if values else ""
    return {key: "" if value is None else value for key, value in cells.items()}


def _kind(row: Row) -> str:
    return "baseline" if row.is_baseline else "probe" if row.overrides else "run"


def _seeds(row: Row) -> list[int | None]:
    return [] if row.is_baseline else [record.seed for record in row.records]
