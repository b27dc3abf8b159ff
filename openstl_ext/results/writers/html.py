"""A board as one page of HTML that needs no other file and makes no request."""

import base64
import os
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from openstl_ext.errors import printable
from openstl_ext.results.board import Board
from openstl_ext.results.board_figures import lead_curves, size_points
from openstl_ext.results.cells import (
    amount,
    duration,
    figure,
    flops_apart,
    mean_latency,
    task,
    training_times,
    with_prefix,
)
from openstl_ext.results.claim_cells import cells as claim_cells
from openstl_ext.results.claim_cells import figure as claim_figure
from openstl_ext.results.claim_cells import numbered, remarks
from openstl_ext.results.published import published_rows
from openstl_ext.results.record import Record
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table, higher_is_better
from openstl_ext.score_name import metric_name

SUFFIX = "html"
PARTS = Path(__file__).with_name("html_parts")
PICTURES = ("grid.png", "panel.png")
"""Pictures of forecasts in the folder of a run."""
MAX_PICTURE_BYTES = 400_000
FURTHER_FIGURES = 100_000
"""Characters of the figures of a page, apart from those of the first score of each table."""
MOST_INTERVALS = 400
"""Rows of a page that shows the intervals of all scores; one of more, of the first score only."""
ARROWS = {True: "\N{UPWARDS ARROW}", False: "\N{DOWNWARDS ARROW}", None: ""}


def write(board: Board) -> str:
    """Write the page without links, whose addresses depend on its place, and without pictures."""
    return page(board, folder=None, pictures=False)


def page(board: Board, *, folder: Path | None, pictures: bool = True) -> str:
    """Return the page.

    Args:
        board: The tables.
        folder: Folder of the page, to which links to runs are relative; None leaves them out.
        pictures: Whether to embed a forecast of the best recipe of each table.
    """
    tables = [_table(board, table, folder, pictures) for table in board.tables]
    return _template().render(
        tables=tables,
        problems=board.problems,
        repeats=board.repeats,
        style=Markup((PARTS / "board.css").read_text(encoding="utf-8")),
        scripts=[
            Markup((PARTS / name).read_text(encoding="utf-8"))
            for name in ("sortable.min.js", "sortable.a11y.min.js", "board.js")
        ],
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PARTS),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("board.html.j2")


def _shown(value: Any) -> Any:
    """Return a text of a record without control characters, and anything else as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _table(board: Board, table: Table, folder: Path | None, pictures: bool) -> dict[str, Any]:
    protocol, metrics = table.protocol, table.metrics
    figures, left_out = _figures(table, FURTHER_FIGURES // len(board.tables))
    with_interval = _with_interval(board, table)
    published = published_rows(table)
    sources = numbered(each.claim for each in published)
    return {
        "id": f"p{protocol['fingerprint']}",
        "name": table.name,
        "untested": table.untested,
        "task": task(table),
        "fingerprint": protocol["fingerprint"],
        "synthetic": table.synthetic,
        "beside": table.beside,
        "differs": table.differs[:8],
        "metrics": [_column(table, metric) for metric in metrics],
        "rate": "samples/s" if table.predicts_labels else "frames/s",
        "rows": [_row(board, table, row, folder, with_interval) for row in table.rows],
        "intervals": list(with_interval),
        "left_out": table.left_out,
        "figures": figures,
        "figures_left_out": left_out,
        "pictures": list(_pictures(board, table)) if pictures else [],
        "claims": [
            {
                "cells": claim_cells(each.claim, sources),
                "scores": [claim_figure(each.claim, metric) for metric in metrics],
                "gaps": [f"{each.gaps[m]:+.3g}" if m in each.gaps else "" for m in metrics],
                "row": each.row.label if each.row else "",
            }
            for each in published
        ],
        "remarks": remarks([each.claim for each in published]),
    }


def _figures(table: Table, room: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the figures of the scores of a table, then the scores left out for want of room.

    Args:
        table: Table of the rows.
        room: Characters of the figures after those of the first score that has any.
    """
    figures: list[dict[str, Any]] = []
    left_out: list[str] = []
    for metric in table.metrics:
        drawn = [f for f in (lead_curves(table, metric), size_points(table, metric)) if f]
        size = sum(len(f.svg) + len("".join(f.legend)) for f in drawn) if figures else 0
        if size > room:
            left_out.append(metric)
            continue
        room -= size
        figures += [
            {"metric": metric, "svg": Markup(f.svg), "caption": f.caption, "legend": f.legend}
            for f in drawn
        ]
    return figures, left_out


def _column(table: Table, metric: str) -> dict[str, str]:
    facts = table.about.get(metric_name(metric)) or {}
    unit = str(facts.get("unit") or "")
    return {
        "name": metric,
        "arrow": ARROWS[higher_is_better(table.about, metric)],
        "meaning": str(facts.get("convention") or ""),
        "unit": "" if unit == "1" else unit,
    }


def _with_interval(board: Board, table: Table) -> tuple[str, ...]:
    """Return the scores whose intervals are shown."""
    rows = sum(len(each.rows) for each in board.tables)
    return table.metrics if rows <= MOST_INTERVALS else table.metrics[:1]


def _row(
    board: Board, table: Table, row: Row, folder: Path | None, with_interval: Collection[str]
) -> dict[str, Any]:
    marks = []
    if row.overrides:
        marks.append(("overridden", f"--cfg-options {' '.join(row.overrides)}"))
    if row.selected_on_test:
        marks.append(("selected on test", "the checkpoint was selected on the test data"))
    if row.is_unknown:
        marks.append(("unknown training", "the checkpoint does not state how it was trained"))
    if row.differs:
        marks.append(("trained otherwise", "; ".join(row.differs[:8])))
    if row.kind == "run" and len(row.records) == 1:
        marks.append(("one seed", ""))
    if row.is_baseline and len(row.values) > 1:
        marks.append(("not the same in all runs", "as of other data; the deviation is over these"))
    memory = [] if row.is_baseline else [r.peak_memory for r in row.records if r.peak_memory]
    return {
        "name": row.label,
        "config": row.config,
        "kind": row.kind,
        "marks": marks,
        "seeds": ", ".join("?" if seed is None else str(seed) for seed in row.seeds),
        "scores": [_score(table, row, m, m in with_interval) for m in table.metrics],
        "parameters": amount(row, "num_parameters"),
        "flops": amount(row, "flops"),
        "apart": [f"{with_prefix(v)} {name}" for name, v in sorted(flops_apart(row).items())],
        "rate": _rate(row),
        "latency": _milliseconds(row),
        "memory": max(memory) / 1e6 if memory else None,
        "training": [(f"{s:.4g}", duration(s), where) for s, where in training_times(row)],
        "hardware": _hardware(row, "device"),
        "threads": _hardware(row, "threads"),
        "links": list(_links(board, row, folder)),
    }


def _hardware(row: Row, fact: str) -> str:
    """Return the values of a fact about the machine; several if the runs differ."""
    known = [] if row.is_baseline else [str(r.environment.get(fact, "")) for r in row.records]
    return " / ".join(dict.fromkeys(filter(None, known)))


def _score(table: Table, row: Row, metric: str, with_interval: bool) -> dict[str, Any]:
    found = row.scores[metric]
    best = found.mean is not None and found.mean == table.best(metric) and row.counts
    why = []
    if found.iqm is not None and found.iqm_interval is not None:
        low, high = found.iqm_interval
        why.append(f"interquartile mean {found.iqm:.4g} ({low:.4g} to {high:.4g} over seeds)")
    interval = _interval(row, metric) if with_interval else None
    partly = 0 < found.num < len(row.records) and not row.is_baseline
    return {
        "text": figure(found),
        "known": found.mean is not None,
        "runs": f"{found.num} of {len(row.records)}" if partly else None,
        "best": best,
        "tied": metric in row.tied,
        "interval": None if interval is None else f"{interval[0]:.4g}\N{EN DASH}{interval[1]:.4g}",
        "title": "; ".join(why),
        "claimed": row.claimed.get(metric),
    }


def _interval(row: Row, metric: str) -> tuple[float, float] | None:
    """Return the 95 % interval of a single run under resampling of the test samples."""
    if row.is_baseline or row.postprocessor or len(row.records) != 1:
        return None
    facts = row.records[0].about.get(metric)
    interval = facts.get("interval") if facts else None
    return None if not interval else (float(interval[0]), float(interval[1]))


def _rate(row: Row) -> tuple[float, str] | None:
    """Return mean forecasts per second, and the conditions."""
    speeds = [] if row.is_baseline else [r.frames_per_second for r in row.records]
    known = [s for s in speeds if s and s["value"]]
    if not known:
        return None
    one = known[0]
    same = [s["value"] or 0.0 for s in known if {**s, "value": 0} == {**one, "value": 0}]
    where = f"{one['device']}, batch {one['batch_size']}, {one['dtype']}"
    return sum(same) / len(same), where


def _milliseconds(row: Row) -> tuple[str, str] | None:
    """Return the latency without an exponent, which would not be sorted, and its conditions."""
    found = mean_latency(row)
    if found is None:
        return None
    value = 1e3 * found[0]
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}", found[1]


def _links(board: Board, row: Row, folder: Path | None) -> Iterator[dict[str, str]]:
    """Yield text and address of the record of each run, and names and addresses beside it.

    Addresses of the other files are relative to the record, ``config:net.py log:day/day.log``.
    """
    if folder is None or row.is_baseline:
        return
    for record in filter(board.has_run, row.records):
        path = board.path_of(record)
        address = _address(path, folder)
        if address:
            seed = f" {record.seed}" if len(row.records) > 1 else ""
            more = [(text, _address(file, path.parent)) for text, file in _files(path, record)]
            beside = " ".join(f"{text}:{place}" for text, place in more if place)
            yield {"text": f"record{seed}", "address": address, "more": beside}


def _files(path: Path, record: Record) -> Iterator[tuple[str, Path]]:
    """Yield the files of a run that exist beside its record."""
    run = path.parent
    configs = sorted(run.glob("*.py"))
    logs = sorted(run.glob("*/*.log"))
    if configs:
        yield "config", configs[0]
    if logs:
        yield "log", logs[-1]
    if record.checkpoint and (weights := run / "checkpoints" / record.checkpoint["file"]).is_file():
        yield "checkpoint", weights


def _address(file: Path, folder: Path) -> str | None:
    """Return a relative address; None for another drive."""
    try:
        relative = os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:
        return None
    return quote(os.fsencode(Path(relative).as_posix()))


def _pictures(board: Board, table: Table) -> Iterator[dict[str, str]]:
    """Yield a picture of the best recipe that has one."""
    for row in table.rows:
        for record in () if row.is_baseline or not row.counts else row.records:
            if not board.has_run(record):
                continue
            for name in PICTURES:
                path = board.path_of(record).parent / name
                if path.is_file() and path.stat().st_size <= MAX_PICTURE_BYTES:
                    data = base64.b64encode(path.read_bytes()).decode()
                    caption = f"{row.label}, seed {record.seed}: {name}"
                    yield {"data": f"data:image/png;base64,{data}", "caption": caption}
                    return
