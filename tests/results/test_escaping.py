"""Texts of records are data in every format, never markup, formulas or commands."""

import csv
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from openstl_ext.errors import printable
from openstl_ext.results.board import Board, board_of
from openstl_ext.results.markdown_text import code, escaped
from openstl_ext.results.writers import csv as csv_writer
from openstl_ext.results.writers import latex, writers
from tests.results.pages import Outline

HOSTILE = {
    "html": "<img src=x onerror=alert(1)>",
    "script": "</script><script>alert(1)</script>",
    "attribute": """'" onmouseover=alert(1) x='""",
    "cell": "a | b",
    "code": "x` <b>y</b> `",
    "link": "[click](javascript:alert(1))",
    "address": "https://example.org",
    "lines": "one\n\n# two\r\n- three",
    "formula": '=HYPERLINK("http://example.org","x")',
    "command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "colours": "\x1b[2J\x1b[31mred",
    "entity": "&lt;script&gt;",
    "emphasis": "**bold** _it_ ~~gone~~ $x$",
    "quotation": '"quoted", and more',
    "undecodable": "name \udcff",
    "direction": "abc\u202edef",
    "tex": "50 % of a_b & {c} \\input{x} ^^M ~ -- ?` #1 $",
    "star": "*[1in] name",
    "minus": "-1+1",
    "plus": "+1",
    "letters": "Gr\u00f6\u00dfe \u8bad\u7ec3 \u03b1",
}


@pytest.fixture(params=HOSTILE.values(), ids=HOSTILE.keys())
def hostile(request: pytest.FixtureRequest) -> str:
    """Return one hostile text."""
    text: str = request.param
    return text


@pytest.fixture
def board(hostile: str, fakes: SimpleNamespace, tmp_path: Path) -> Board:
    """Return a board whose texts are all hostile."""
    shown = hostile.encode(errors="backslashreplace").decode()
    about = {"mse_sum": {"unit": shown, "higher_is_better": False, "convention": shown}}
    metainfo = {"name": shown, "channels": [shown], "lead": [1, shown]}
    for seed, text in enumerate((shown, "plain")):
        fakes.record(
            name=text,
            config=text,
            overrides=[f"model.x={text}"],
            seed=seed,
            about=about,
            metrics={"mse_sum": 1.0, shown: 2.0},
            baselines={text: {"mse_sum": 3.0}},
            uncounted=[text, "b"],
            flops_apart={text: 1e9},
            protocol=fakes.protocol(metainfo=metainfo),
            frames_per_second={"value": 1.0, "device": text, "batch_size": 1, "dtype": text},
        ).write(tmp_path / str(seed) / "result.json")
    found = board_of([tmp_path])
    return Board(found.tables, (f"not read: {hostile}",), (f"repeats {hostile}",))


def test_markdown_shows_each_text_as_it_is(board: Board) -> None:
    """A name would run a script in the reader's browser, or shift the columns of the table."""
    text = writers()["md"](board)
    assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) == {"\n"}
    bare = re.sub(r"`[^`\n]*`", "", text)
    assert "<" not in bare
    assert "](" not in bare.replace("\\](", "")
    assert "://" not in bare
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == 1 + len(board.tables)


def test_html_shows_each_text_as_it_is(board: Board, hostile: str) -> None:
    """A name would run a script, or end the attribute that it is in."""
    page = Outline(writers()["html"](board))
    assert page.tags.count("script") == 3
    assert page.tags.count("img") == 0
    assert not any(name.startswith("on") for name in page.attributes)
    shown = printable(hostile.encode(errors="backslashreplace").decode())
    assert page.texts.count(" ".join(shown.split())) >= 4  # data, score, recipe, config


def test_latex_prints_each_text_as_it_is(board: Board, hostile: str) -> None:
    """A name would end its cell or its line, or be a command."""
    text = writers()["tex"](board)
    shown = hostile.encode(errors="backslashreplace").decode()
    assert latex.escaped(shown) in text
    commands = set(re.findall(r"\\[a-zA-Z]+", latex.escaped(shown)))
    assert all(command.startswith(r"\text") for command in commands)
    for columns, body in re.findall(
        r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL
    ):
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(lines) == 1 + len(board.tables[0].rows)
        for line in lines:
            assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
            assert line[0] not in "[*"  # an option of the line end before it
            assert "%" not in re.sub(r"\\%", "", line)


def test_csv_has_one_line_per_row_and_no_formula(board: Board) -> None:
    """A spreadsheet would compute the name of a recipe, or read half a row."""
    text = writers()["csv"](board)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(text.splitlines()) == len(rows) == 1 + sum(len(t.rows) for t in board.tables)
    assert {len(row) for row in rows} == {len(rows[0])}
    for cell in (cell for row in rows for cell in row):
        assert cell[:1] not in ("=", "+", "@", "-", "\t")
        assert not cell.startswith(('["', '{"'))
        assert cell.isprintable() or not cell


def test_json_is_read_back_unchanged(board: Board, hostile: str) -> None:
    """A program would read another name."""
    text = writers()["json"](board).encode(errors="backslashreplace")
    assert json.loads(text)["problems"] == [f"not read: {hostile}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mse_sum@1", "mse_sum@1"),
        ("10 -> 10 frames of 1 x 8 x 8; 30 samples", "10 -> 10 frames of 1 x 8 x 8; 30 samples"),
        ("46.77 M", "46.77 M"),
        ("-0.5", "-0.5"),
        ("a * b", "a \\* b"),
        ("a\\|b", "a\\\\\\|b"),
        ("1. x", "1\\. x"),
        ("# x", "\\# x"),
        ("_x_", "\\_x\\_"),
        ("R&D", "R&D"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_markdown_escapes_only_what_has_a_meaning(text: str, expected: str) -> None:
    """Usual names would be unreadable in a terminal."""
    assert escaped(text) == expected


def test_a_code_span_cannot_be_left() -> None:
    """A config with a backtick would write markup behind it."""
    assert code("boiling/simvp_gsta") == "`boiling/simvp_gsta`"
    assert code("a`b<i>") == "a\\`b&lt;i>"


def test_numbers_of_csv_stay_numbers() -> None:
    """A negative score would be a text."""
    assert csv_writer.cell(-0.5) == -0.5
    assert csv_writer.cell({"scan": 1.0}) == "scan=1.0"
    assert csv_writer.cell(["a", "b"]) == "a; b"
