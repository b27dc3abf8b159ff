"""A board as Markdown, aligned so that it is readable in a terminal.

Texts of records may have any character, so each is escaped where it enters the page.
"""

from collections.abc import Sequence
from typing import Any

from openstl_ext.results.board import Board
from openstl_ext.results.cells import PLUS_MINUS, amount, figure, flops, flops_apart, speed, task
from openstl_ext.results.claim_list import published_section
from openstl_ext.results.markdown_text import aligned, code, escaped
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table, checkpoint_name, higher_is_better
from openstl_ext.score_name import metric_name

SUFFIX = "md"
ARROWS = {
    True: " \N{UPWARDS ARROW}",
    False: " \N{DOWNWARDS ARROW}",
    None: "",
}
TIED = "\N{ALMOST EQUAL TO}"


def write(board: Board) -> str:
    """Write one section per protocol, then the files that were left out, with the reason."""
    parts = ["# Leaderboard", *(part for table in board.tables for part in _section(table))]
    if board.repeats:
        parts.append(
            "Found twice, counted once:\n\n" + "\n".join(f"- {escaped(r)}" for r in board.repeats)
        )
    if board.problems:
        parts.append("Not read:\n\n" + "\n".join(f"- {escaped(p)}" for p in board.problems))
    return "\n\n".join(parts) + "\n"


def _section(table: Table) -> list[str]:
    """Write the heading, the task, the table, and the meaning of its marks."""
    protocol = table.protocol
    heading = f"## {escaped(table.name)}"
    lines = [f"{escaped(task(table))} Protocol {code(protocol['fingerprint'])}."]
    if table.synthetic:
        lines.append("**Synthetic data**, not observations.")
    if table.beside:
        shown = "; ".join(table.differs[:8]) + ("; ..." if len(table.differs) > 8 else "")
        lines.append(f"Not comparable with {code(table.beside)}: {escaped(shown)}.")
    notes = _notes(table)
    parts = [heading, " ".join(lines), _grid(table)]
    parts += ["\n".join(f"- {note}" for note in notes)] if notes else []
    return [*parts, *published_section(table)]


def _grid(table: Table) -> str:
    """Write the table, padded so that its columns are aligned."""
    head = ["recipe", "config", "seeds"]
    head += [escaped(name) + ARROWS[higher_is_better(table.about, name)] for name in table.metrics]
    rate = "samples/s" if table.predicts_labels else "frames/s"
    head += ["parameters", "FLOPs", rate]
    body = [_cells(table, row) for row in table.rows]
    return aligned(head, body, texts=2)


def _cells(table: Table, row: Row) -> list[str]:
    if row.is_baseline:
        fixed = [f"*{escaped(row.name)}*", "", ""]
    else:
        marks = "\\*" * bool(row.overrides) + "\\!" * row.selected_on_test
        marks += "\\?" * row.is_unknown + "\\~" * bool(row.differs)
        fixed = [escaped(row.label) + marks, code(row.config), str(len(row.records))]
    scores = [_score(table, row, name) for name in table.metrics]
    costs = (amount(row, "num_parameters"), flops(row), speed(row))
    return [*fixed, *scores, *map(escaped, costs)]


def _score(table: Table, row: Row, metric: str) -> str:
    """Write a score as ``24.9 +- 0.2 (claimed 24.4)``, the best in bold."""
    found, claimed = row.scores[metric], row.claimed.get(metric)
    text = figure(found)
    if found.mean is not None and found.mean == table.best(metric) and row.counts:
        text = f"**{text}**"
    elif metric in row.tied:
        text += f" {TIED}"
    if 0 < found.num < len(row.records) and not row.is_baseline:
        text += f" ({found.num} of {len(row.records)})"
    return text if claimed is None else f"{text} (claimed {claimed:g})"


def _notes(table: Table) -> list[str]:
    """Explain the marks, the units and the columns."""
    rows = table.rows
    names = dict.fromkeys(metric_name(column) for column in table.metrics)
    meanings = {name: _meaning(table.about.get(name, {})) for name in names}
    notes = [escaped(f"{name}: {meaning}") for name, meaning in meanings.items() if meaning]
    if any(len(row.records) > 1 and not row.is_baseline for row in rows):
        notes.append(f"a {PLUS_MINUS} b: mean and sample standard deviation over seeds")
    if any(row.tied for row in rows):
        notes.append(
            f"{TIED} after a score: not different from the best one, by a paired permutation test "
            "over blocks of samples at 5 %, corrected for all rows"
        )
    if table.untested:
        notes.append(f"not tested for {TIED}, for want of tallies: {escaped(table.untested)}")
    if any(row.facts("flops") for row in rows):
        what = "labelled sample" if table.predicts_labels else "forecast"
        notes.append(
            f"FLOPs: of one {what}, a multiply-add counts once, "
            f"a normalised value 1 to 5 times{escaped(_uncounted(rows))}"
        )
    if any(map(flops_apart, rows)):
        notes.append("FLOPs after a +: operators that published tables leave out, all counted")
    if any(row.is_baseline for row in rows):
        notes.append("*in italics*: baselines, evaluated in the same test")
    for row in rows:
        if row.is_baseline and len(row.values) > 1:
            why = f"not the same in all runs, as of other data; {PLUS_MINUS} is over these"
            notes.append(f"{escaped(row.name)}: {why}")
    for name, reason in sorted(table.left_out.items()):
        notes.append(f"no baseline {escaped(name)}: {escaped(reason)}")
    for name in sorted({row.postprocessor for row in rows if row.postprocessor}):
        notes.append(f"\\+ {escaped(name)}: the same forecasts after the postprocessor")
    for row in rows:
        if row.overrides and not row.postprocessor:
            options = code(f"--cfg-options {' '.join(row.overrides)}")
            notes.append(f"\\* {escaped(row.name)} is a probe: {options}")
        if row.checkpoint and not row.postprocessor:
            notes.append(f"{escaped(row.label)}: {escaped(_which_counts(row, rows))}")
        if row.is_unknown and not row.postprocessor:
            what = "the checkpoint does not state how it was trained"
            notes.append(f"\\? {escaped(row.label)}: {what}")
        if row.differs and not row.postprocessor:
            more = "; ..." * (len(row.differs) > 8)
            differences = escaped("; ".join(row.differs[:8]))
            notes.append(f"\\~ {escaped(row.label)} was trained otherwise: {differences}{more}")
        if row.selected_on_test:
            notes.append(f"\\! {escaped(row.name)}: its checkpoint was selected on the test data")
    return notes


def _which_counts(row: Row, rows: Sequence[Row]) -> str:
    """Name the checkpoint of the same training and seed that the row of the recipe has."""
    (record,) = row.records
    key = (record.config, record.overrides, record.training_digest, record.seed)
    main = (other for other in rows if not other.checkpoint and not other.is_baseline)
    taken = next(
        checkpoint_name(run)
        for other in main
        for run in other.records
        if key == (run.config, run.overrides, run.training_digest, run.seed)
    )
    return f"a further checkpoint of seed {record.seed}; the row {row.name} has {taken}"


def _meaning(facts: dict[str, Any]) -> str:
    unit = facts.get("unit") or "1"
    parts = [str(facts.get("convention") or "").rstrip("."), "" if unit == "1" else f"in {unit}"]
    return ", ".join(part for part in parts if part)


def _uncounted(rows: Sequence[Row]) -> str:
    names = sorted({name for row in rows for part in row.facts("uncounted") for name in part})
    return f"; not counted: {', '.join(names)}" if names else ""
