"""A board as Markdown that reads well in a terminal, too."""

import math
from collections.abc import Sequence
from typing import Any

from openstl_ext.results.board import Board
from openstl_ext.results.table import Row, Score, Table, higher_is_better

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
ARROWS = {
    True: " \N{UPWARDS ARROW}",
    False: " \N{DOWNWARDS ARROW}",
    None: "",
}


def markdown(board: Board) -> str:
    """One section a protocol, then what was left out and why."""
    parts = ["# Leaderboard", *(part for table in board.tables for part in _section(table))]
    if board.repeats:
        parts.append("Counted once:\n\n" + "\n".join(f"- {line}" for line in board.repeats))
    if board.problems:
        parts.append("Not read:\n\n" + "\n".join(f"- {line}" for line in board.problems))
    return "\n\n".join(parts) + "\n"


def _section(table: Table) -> list[str]:
    """Heading, what is compared, the table, and what its marks mean."""
    protocol = table.protocol
    heading = f"## {protocol['metainfo'].get('name') or protocol['dataset'].get('type', 'data')}"
    lines = [f"{_task(table)} Protocol `{protocol['fingerprint']}`."]
    if table.synthetic:
        lines.append("**Synthetic data**: these are no observations.")
    if table.beside:
        shown = "; ".join(table.differs[:8]) + ("; ..." if len(table.differs) > 8 else "")
        lines.append(f"Not comparable with `{table.beside}`: {shown}.")
    notes = _notes(table)
    parts = [heading, " ".join(lines), _grid(table)]
    return [*parts, "\n".join(f"- {note}" for note in notes)] if notes else parts


def _task(table: Table) -> str:
    """In a sentence, what was forecast from what, or labelled."""
    shapes, size = table.protocol["shapes"], table.protocol["size"]
    past, future = shapes.get("inputs.frames"), shapes.get("data_samples.frames")
    if not past or len(past) != 4:
        return f"{size} test samples."
    time, channels, height, width = past
    lead = table.protocol["metainfo"].get("lead") or (1, "frame")
    step = "" if list(lead) == [1, "frame"] else f", {lead[0]:g} {lead[1]} apart"
    frame = f"{channels} x {height} x {width}"
    if table.answers_with_labels:
        classes = ", ".join(table.protocol["metainfo"].get("classes") or ())
        return f"{time} frames of {frame}{step} -> labels ({classes}); {size} test samples."
    if not future:
        return f"{size} test samples."
    return f"{time} -> {future[0]} frames of {frame}{step}; {size} test samples."


def _grid(table: Table) -> str:
    """The table itself, padded so that its columns stand below each other."""
    head = ["recipe", "config", "seeds"]
    head += [name + ARROWS[higher_is_better(table.about, name)] for name in table.metrics]
    speed = "samples/s" if table.answers_with_labels else "frames/s"
    head += ["parameters", "FLOPs", speed]
    body = [_cells(table, row) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    text = [_line(head, widths), _line(["-" * w for w in widths], widths, rule=True)]
    return "\n".join(text + [_line(cells, widths) for cells in body])


def _line(cells: Sequence[str], widths: Sequence[int], *, rule: bool = False) -> str:
    """Texts to the left, numbers to the right."""
    padded = [cell.ljust(width) for cell, width in zip(cells[:2], widths, strict=False)]
    padded += [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    if rule:
        padded = [*padded[:2], *(cell[:-1] + ":" for cell in padded[2:])]
    return "| " + " | ".join(padded) + " |"


def _cells(table: Table, row: Row) -> list[str]:
    if row.is_baseline:
        fixed = [f"*{row.name}*", "", ""]
    else:
        marks = "\\*" * bool(row.overrides) + "\\!" * row.selected_on_test
        fixed = [row.name + marks, f"`{row.config}`", str(len(row.records))]
    scores = [_score(table, row, name) for name in table.metrics]
    return [*fixed, *scores, _amount(row, "num_parameters"), _flops(row), _speed(row)]


def _score(table: Table, row: Row, metric: str) -> str:
    """``24.9 +- 0.2 (claimed 24.4)``, the best in bold."""
    found, claimed = row.scores[metric], row.claimed.get(metric)
    text = figure(found)
    if found.mean is not None and found.mean == table.best(metric) and not row.overrides:
        text = f"**{text}**"
    if 0 < found.num < len(row.records) and not row.is_baseline:
        text += f" ({found.num} of {len(row.records)})"
    return text if claimed is None else f"{text} (claimed {claimed:g})"


def figure(score: Score) -> str:
    """A mean with as many decimals as its spread deserves: 4 digits where there is none."""
    if score.mean is None:
        return "n/a"
    size = abs(score.mean)
    if size and not 1e-4 <= size < 1e7:
        spread = "" if score.std is None else f" {PLUS_MINUS} {score.std:.1e}"
        return f"{score.mean:.3e}{spread}"
    decimals = _decimals(size, digits=4)
    if score.std is None:
        return f"{score.mean:.{decimals}f}"
    # two digits of the spread, but never fewer digits of the mean than its spread supports
    decimals = max(0, min(_decimals(score.std, digits=2), 6)) if score.std else decimals
    return f"{score.mean:.{decimals}f} {PLUS_MINUS} {score.std:.{decimals}f}"


def _decimals(value: float, *, digits: int) -> int:
    """Decimals that show so many significant digits."""
    if not value:
        return digits - 1
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def _amount(row: Row, field: str) -> str:
    """A count with a prefix of a thousand; more than one where runs disagree."""
    return " / ".join(_with_prefix(value) for value in row.facts(field))


def _flops(row: Row) -> str:
    """``0.90 G + 0.80 G scan``: what published tables leave out is counted apart."""
    said = [f"{_with_prefix(value)} {name}" for name, value in sorted(_apart(row).items())]
    return " + ".join([_amount(row, "flops"), *said])


def _apart(row: Row) -> dict[str, float]:
    return {name: value for part in row.facts("flops_apart") for name, value in part.items()}


def _with_prefix(value: float) -> str:
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.2f} {prefix}"
    return f"{value:g}"


def _speed(row: Row) -> str:
    """Mean frames per second for each device, batch size and number type."""
    groups: dict[str, list[float]] = {}
    for speed in [] if row.is_baseline else [record.frames_per_second for record in row.records]:
        if speed and speed["value"] is not None:
            where = f"{speed['device']}, batch {speed['batch_size']}"
            where += "" if speed["dtype"] == "float32" else f", {speed['dtype']}"
            groups.setdefault(where, []).append(speed["value"])
    means = {where: math.fsum(values) / len(values) for where, values in sorted(groups.items())}
    return " / ".join(f"{mean:.{0 if mean >= 100 else 1}f} ({w})" for w, mean in means.items())


def _notes(table: Table) -> list[str]:
    """What the marks, the units and the columns mean."""
    rows = table.rows
    notes = [f"{m}: {_meaning(table.about[m])}" for m in table.metrics if _meaning_of(table, m)]
    if any(len(row.records) > 1 and not row.is_baseline for row in rows):
        notes.append(f"a {PLUS_MINUS} b: mean and sample standard deviation over seeds")
    if any(row.facts("flops") for row in rows):
        what = "labelled sample" if table.answers_with_labels else "forecast"
        notes.append(f"FLOPs: of one {what}, a multiply-add counts once{_uncounted(rows)}")
    if any(map(_apart, rows)):
        notes.append("FLOPs after a +: of operators that published tables leave out, all counted")
    if any(row.is_baseline for row in rows):
        notes.append("*in italics*: forecasts that cost nothing, judged in the same test")
    for row in rows:
        if row.overrides:
            notes.append(f"\\* {row.name} is a probe: `--cfg-options {' '.join(row.overrides)}`")
        if row.selected_on_test:
            notes.append(f"\\! {row.name}: its checkpoint was chosen on the test data")
    return notes


def _meaning_of(table: Table, metric: str) -> bool:
    return bool(_meaning(table.about.get(metric, {})))


def _meaning(facts: dict[str, Any]) -> str:
    unit = facts.get("unit") or "1"
    said = [str(facts.get("convention") or "").rstrip("."), "" if unit == "1" else f"in {unit}"]
    return ", ".join(part for part in said if part)


def _uncounted(rows: Sequence[Row]) -> str:
    names = sorted({name for row in rows for part in row.facts("uncounted") for name in part})
    return f"; not counted: {', '.join(names)}" if names else ""
