"""A board as LaTeX tables."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from openstl_ext.results.board import Board
from openstl_ext.results.table import tables_of
from openstl_ext.results.writers import latex
from tests.results.pages import record, two_tables
from tests.results.test_escaping import HOSTILE

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{booktabs}
\begin{document}
\input{tables.tex}
\end{document}
"""


@pytest.fixture
def text(tmp_path: Path) -> str:
    return latex.write(two_tables(tmp_path))


def test_environments_and_braces_are_balanced(text: str) -> None:
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")


def test_each_line_has_as_many_cells_as_the_table_columns(text: str) -> None:
    tables = re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(tables) == 2
    for columns, body in tables:
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(lines) >= 3
        for line in lines:
            assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1


def test_special_letters_are_printed(text: str) -> None:
    assert r"\textless{}script\textgreater{}alert(1)" in text
    assert latex.escaped(r"50 % of a_b & {c} \d ~ ^") == (
        r"50 \% of a\_b \& \{c\} \textbackslash{}d \textasciitilde{} \textasciicircum{}"
    )
    assert latex.escaped("a -- b ,, '' ?`") == r"a -{}- b ,{}, '{}' ?\textasciigrave{}"


def test_the_best_is_bold_and_marks_are_explained(text: str) -> None:
    assert r"\textbf{10.00 $\pm$ 0.50}" in text
    assert r"\textit{Persistence}" in text
    assert "a probe with other options" in text
    assert "selected on the test data" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")
@pytest.mark.parametrize("texts", ["usual", "hostile"])
def test_pdflatex_compiles_it(text: str, texts: str, tmp_path: Path) -> None:
    if texts == "hostile":
        latin = [text for text in HOSTILE.values() if text.isascii()]
        runs = [record(name, f"a/{k}", 1.0, overrides=[name]) for k, name in enumerate(latin)]
        text = latex.write(Board(tuple(tables_of(runs)), tuple(latin)))
    (tmp_path / "tables.tex").write_text(text)
    (tmp_path / "page.tex").write_text(DOCUMENT)
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "page.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]
