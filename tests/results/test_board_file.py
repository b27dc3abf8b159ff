"""A board that is read back from its JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.comparison.compare import compare, with_ties
from openstl_ext.errors import UserError
from openstl_ext.results.board import Board, board_of
from openstl_ext.results.published import published_rows
from openstl_ext.results.writers import html, writers
from tests.comparison.test_compare import write_run
from tests.results.pages import published, record, two_tables, write
from tests.results.test_escaping import HOSTILE


def with_tallies(folder: Path) -> Board:
    """Return a table with ties, three seeds of two nets, a bad one and a baseline."""
    for seed in range(3):
        write_run(folder, "boiling/good", 1.0, seed=seed, baselines={"Persistence": 3.0})
        write_run(folder, "boiling/equal", 1.0, seed=seed + 3)
    write_run(folder, "boiling/bad", 1.5)
    found = with_ties(board_of([folder]))
    assert any(row.tied for row in found.tables[0].rows)
    return found


def hostile(folder: Path) -> Board:
    """Return a table with a run of each hostile text, and a file that is not read."""
    for number, text in enumerate(HOSTILE.values()):
        shown = text.encode(errors="backslashreplace").decode()
        scores = {"mse_sum": 1.0 + number, shown: None}
        record(shown, f"a/{shown}", 1.0, metrics=scores, baselines={shown: {"mse_sum": 9.0}}).write(
            folder / str(number) / "result.json"
        )
    found = board_of([folder])
    return Board(found.tables, (f"not read: {HOSTILE['undecodable']}",), ("twice",), found.places)


def reordered(folder: Path) -> Board:
    """Return a table whose first column is not that of the records."""
    two_tables(folder)
    return board_of([folder], ["ssim", "mse_sum@*"])


MAKERS = [with_tallies, hostile, two_tables, published, reordered]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    make: Callable[[Path], Board] = request.param
    return make(tmp_path)


def read_again(board: Board, file: Path) -> Board:
    """Write a board as the command does, and read it."""
    file.write_bytes(writers()["json"](board).encode(errors="backslashreplace"))
    return board_of([file])


def test_every_format_is_the_same_after_json(board: Board, tmp_path: Path) -> None:
    """Ties, intervals, published results or the order of the rows were lost."""
    again = read_again(board, tmp_path / "board.json")
    for table, known in zip(again.tables, board.tables, strict=True):
        assert replace(table, claims=()) == replace(known, claims=())
        assert published_rows(table) == published_rows(known)  # of others the file has none
    for suffix, writer in writers().items():
        assert writer(again) == writer(board), suffix
    assert html.page(again, folder=tmp_path) == html.page(board, folder=tmp_path)


def test_links_need_the_same_runs(tmp_path: Path) -> None:
    """A link to another run in the same place would be taken for this one."""
    again = read_again(two_tables(tmp_path), tmp_path / "board.json")
    (path,) = (p for r, p in again.places if r.name == "ConvLSTM")
    other = json.loads(path.read_text())
    path.write_text(json.dumps({**other, "metrics": {"mse_sum": 1.0}}))
    again = board_of([tmp_path / "board.json"])
    assert again.absent == {path}
    text = html.page(again, folder=tmp_path)
    assert "boiling/simvp/seed_0/result.json" in text
    assert "boiling/convlstm/seed_0/result.json" not in text
    writer = writers()["json"]
    assert writer(again) == (tmp_path / "board.json").read_text()  # the place is kept


def test_a_comparison_needs_the_runs(tmp_path: Path) -> None:
    board = with_tallies(tmp_path / "runs")
    again = read_again(board, tmp_path / "board.json")
    assert compare(again, "good", "bad")[0].verdict(compare(board, "good", "bad")[0].differences[0])
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"board.json has no tallies of samples, so give the fold"):
        compare(board_of([tmp_path / "board.json"]), "good", "bad")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["tables"][0]["rows"][0]["scores"]["mse_sum"].update(mean=1.0), "was changed"),
        (lambda c: c["tables"][0]["rows"].pop(), "is not that of its records"),
        (lambda c: c["tables"].pop(), "are not those of the tables"),
        (lambda c: c["tables"].clear(), "are not those of the tables"),
        (lambda c: (c["records"].pop(), c["paths"].clear()), "rows are not those"),
        (lambda c: c["records"][0].update(schema=1), "a record has schema 1, not 2; write it"),
        (lambda c: c["records"][0].update(metrics=3), r"\$.records\[0\].metrics`; write it again"),
        (lambda c: c["paths"].pop(), "5 paths of 6 records"),
        (lambda c: c.pop("records"), "missing required field `records`; write it again"),
    ],
)
def test_a_changed_file_is_one_sentence(
    change: Callable[[Any], Any], message: str, tmp_path: Path
) -> None:
    """A figure that somebody wrote into the file would be shown as measured."""
    read_again(two_tables(tmp_path), tmp_path / "board.json")
    content = json.loads((tmp_path / "board.json").read_text())
    change(content)
    (tmp_path / "board.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        board_of([tmp_path / "board.json"])


def test_a_board_is_read_alone_and_with_other_columns(tmp_path: Path) -> None:
    board = read_again(two_tables(tmp_path), tmp_path / "board.json")
    file = board.read_from
    assert file == tmp_path / "board.json"
    assert board_of([file], ["ssim"]).tables[0].metrics == ("ssim",)
    with pytest.raises(UserError, match="is a whole board, so give it alone"):
        board_of([tmp_path, file])
    (tmp_path / "note.json").write_text("[1, 2]")
    found = board_of([tmp_path / "note.json", tmp_path])
    assert len(found.problems) == 1
    file.write_text(file.read_text()[:-9])
    with pytest.raises(UserError, match=r"board\.json: Input data was truncated"):
        board_of([file])


def test_a_record_of_any_name_is_still_read(tmp_path: Path) -> None:
    write(tmp_path, record("A", "a/b", 1.0))
    (path,) = tmp_path.rglob("result.json")
    renamed = path.rename(tmp_path / "mine.json")
    assert board_of([renamed]).tables[0].rows[0].name == "A"
