"""A board as JSON: all tables with their protocols, without loss."""

import json
from typing import Any

import msgspec

from openstl_ext.results.board import Board
from openstl_ext.results.protocol import plain
from openstl_ext.results.published import PublishedRow, published_rows
from openstl_ext.results.row import FACTS, Row
from openstl_ext.results.table import higher_is_better

SUFFIX = "json"


def write(board: Board) -> str:
    """Write everything, nested, with each protocol in full.

    ``records`` has each run once and whole, ``paths`` its file. ``board_of`` reads the file.
    """
    tables = [
        {
            "protocol": table.protocol,
            "differs": list(table.differs),
            "beside": table.beside,
            "synthetic": table.synthetic,
            "baselines_left_out": table.left_out,
            "metrics": {
                name: {**table.about.get(name, {}), "best": table.best(name)}
                | {"higher_is_better": higher_is_better(table.about, name)}
                for name in table.metrics
            },
            "rows": [_object(row) for row in table.rows],
            "published": [_published(row) for row in published_rows(table)],
        }
        for table in board.tables
    ]
    runs = {id(r): r for t in board.tables for row in t.rows if row.config for r in row.records}
    records = [msgspec.to_builtins(record) for record in runs.values()]
    files = [board.files.get(key) for key in runs]
    content = {
        "tables": tables,
        "records": records,
        "paths": [] if None in files else [file.as_posix() for file in files if file],
        "problems": board.problems,
        "repeats": board.repeats,
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _object(row: Row) -> dict[str, Any]:
    scores = {
        name: {
            **{"mean": s.mean, "std": s.std, "num": s.num, "claimed": row.claimed.get(name)},
            **{"iqm": s.iqm, "iqm_interval": s.iqm_interval, "tied": row.is_tied(name)},
        }
        for name, s in row.scores.items()
    }
    return {
        "name": row.name,
        "config": row.config,
        "kind": row.kind,
        "postprocessor": row.postprocessor,
        "overrides": row.overrides,
        "checkpoint": row.checkpoint,
        "differs": row.differs,
        "seeds": row.seeds,
        "scores": scores,
        "selected_on_test": row.selected_on_test,
        **{fact: row.facts(fact) for fact in FACTS},
        "checkpoints": [] if row.is_baseline else [r.checkpoint for r in row.records],
        "dates": [] if row.is_baseline else [r.date for r in row.records],
        "environments": row.facts("environment"),
        "sources": row.facts("source"),
    }


def _published(row: PublishedRow) -> dict[str, Any]:
    """Return a claim whole, its figures in the columns of the table, and the gap of a recipe."""
    return {
        "claim": msgspec.to_builtins(row.claim),
        "scores": row.scores,
        "recipe": row.row.config if row.row else None,
        "gaps": row.gaps,
    }
