r"""A board as LaTeX tables for ``\input``; they need the package booktabs."""

import re

from openstl_ext.errors import printable
from openstl_ext.results.board import Board
from openstl_ext.results.cells import PLUS_MINUS, amount, figure, task
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table, higher_is_better

SUFFIX = "tex"
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
LIGATURE = re.compile(r"([-,'])(?=\1)")
"""The first of two letters that LaTeX joins: to a dash or a quotation mark."""
ARROWS = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}


def write(board: Board) -> str:
    """Write one table per protocol, then the files that were left out as comments."""
    parts = ["% needs \\usepackage{booktabs}", *map(_table, board.tables)]
    parts += [f"% not read: {' '.join(printable(text).split())}" for text in board.problems]
    return "\n\n".join(parts) + "\n"


def escaped(text: object) -> str:
    """Return a text that LaTeX prints as it is, in one line; other letters than ASCII remain."""
    line = " ".join(printable(str(text)).split())
    return LIGATURE.sub(r"\1{}", "".join(SPECIAL.get(letter, letter) for letter in line))


def _table(table: Table) -> str:
    protocol, metrics = table.protocol, table.metrics
    synthetic = " Synthetic data, not observations." if table.synthetic else ""
    caption = f"{escaped(table.name)}: {escaped(task(table))}{synthetic}{_notes(table)}"
    head = ["recipe", "seeds"]
    head += [escaped(m) + ARROWS[higher_is_better(table.about, m)] for m in metrics]
    head += ["parameters", "FLOPs"]
    lines = [
        r"\begin{table}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{protocol['fingerprint']}}}",
        r"\centering",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(_cells(table, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def _cells(table: Table, row: Row) -> list[str]:
    label = escaped(row.label)
    if row.is_baseline:
        label = rf"\textit{{{label}}}"
    elif label.startswith(("[", "*")):
        label = f"{{{label}}}"  # or the end of the line before would take it as its option
    marks = "*" * bool(row.overrides) + "!" * row.selected_on_test
    marks += "?" * row.is_unknown + r"\textasciitilde{}" * bool(row.differs)
    seeds = "" if row.is_baseline else str(len(row.records))
    scores = [_score(table, row, metric) for metric in table.metrics]
    costs = [_spaced(amount(row, fact)) for fact in ("num_parameters", "flops")]
    return [label + marks, seeds, *scores, *costs]


def _score(table: Table, row: Row, metric: str) -> str:
    found = row.scores[metric]
    if found.mean is None:
        return "--"
    text = figure(found).replace(f" {PLUS_MINUS} ", r" $\pm$ ")
    text = re.sub(r"e([+-])0*(\d+)", r"e\g<1>\2", text)
    if found.num < len(row.records) and not row.is_baseline:
        text += f" ({found.num} of {len(row.records)})"
    if found.mean == table.best(metric) and row.counts:
        return rf"\textbf{{{text}}}"
    return rf"{text} $\approx$" if metric in row.tied else text


def _spaced(text: str) -> str:
    return escaped(text).replace(" ", "~")


def _notes(table: Table) -> str:
    """Explain the marks of the table in its caption."""
    rows, notes = table.rows, []
    if any(len(row.records) > 1 and not row.is_baseline for row in rows):
        notes.append(r"$a \pm b$: mean and standard deviation over seeds.")
    if any(row.tied for row in rows):
        notes.append(r"$\approx$: not different from the best (paired permutation test, 5\,\%).")
    if table.untested:
        notes.append(rf"Not tested for $\approx$: {escaped(table.untested)}.")
    if any(row.overrides for row in rows):
        notes.append("*: a probe with other options than its config.")
    if any(row.selected_on_test for row in rows):
        notes.append("!: selected on the test data.")
    if any(row.is_unknown for row in rows):
        notes.append("?: unknown training.")
    if any(row.differs for row in rows):
        notes.append(r"\textasciitilde{}: trained otherwise.")
    return "".join(f" {note}" for note in notes)
