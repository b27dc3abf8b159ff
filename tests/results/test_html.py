"""A board as one page of HTML."""

import html.parser
import re
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.commands.leaderboard import add_arguments
from openstl_ext.results.board import Board
from openstl_ext.results.board_figures import lead_curves, size_points
from openstl_ext.results.cells import duration
from openstl_ext.results.table import Table, tables_of
from openstl_ext.results.writers import html as page_writer
from tests.results.pages import many_runs, two_tables


class Outline(html.parser.HTMLParser):
    """Collect the tags, addresses and texts of a page, and check that tags are closed."""

    EMPTY = ("meta", "input", "img", "path", "circle", "polyline", "polygon", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return two_tables(tmp_path)


def first(board: Board) -> Table:
    """Return the table of the runs of several seeds."""
    return next(table for table in board.tables if table.protocol["size"] == 30)


def test_the_page_is_well_formed_and_names_no_other_server(board: Board, tmp_path: Path) -> None:
    """A page that loads a script from elsewhere would not work from disk."""
    text = page_writer.page(board, folder=tmp_path)
    outline = Outline(text)
    assert outline.tags.count("section") == 3
    local = [a for a in outline.addresses if not a.startswith(("#", "data:image/png"))]
    assert local
    assert all((tmp_path / re.sub("%20", " ", address)).exists() for address in local)
    assert not any("//" in address for address in outline.addresses)
    assert "default-src 'none'" in text


def test_texts_of_records_are_shown_as_they_are(board: Board) -> None:
    """A name could run a script in the page."""
    text = page_writer.write(board)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_rows_have_kinds_marks_values_and_files(board: Board, tmp_path: Path) -> None:
    text = page_writer.page(board, folder=tmp_path)
    assert text.count('data-kind="baseline"') == 2
    assert text.count('data-kind="probe"') == 1
    for mark in ("overridden", "one seed", "synthetic data", "selected on test"):
        assert mark in text
    best = re.findall(r'<td class="best"(?: data-sort="([\d.]+)")?', text)
    assert "10" in best
    assert re.search(r">record 0</a> .*>record 1</a>", text)
    assert "interquartile mean" in text


def test_latency_and_training_are_those_of_the_records(fakes: Any) -> None:
    """A latency that is computed from the speed of batches is none that a user waits for."""
    latency = {"value": 1.25, "device": "cpu", "dtype": "float32", "calls": 3}
    on_cpu = {"seconds": 100.0, "devices": 1, "device": "x86_64 (2 threads)"}
    on_gpu = {"seconds": 7200.0, "devices": 4, "device": "NVIDIA H200"}
    runs = [
        fakes.record(seed=0, latency=latency, training_time=[on_gpu]),
        fakes.record(seed=1, latency={**latency, "value": 1.75}, training_time=[on_gpu]),
        fakes.record(seed=2, training_time=[on_cpu, on_gpu]),
    ]
    text = page_writer.write(Board(tables=tuple(tables_of(runs))))
    assert '<td title="median of 3 calls">1500</td>' in text
    assert (
        '<td data-sort="7300">2.0 h<small>1 x x86_64 (2 threads) + 4 x NVIDIA H200</small><br>'
        "2.0 h<small>4 x NVIDIA H200</small></td>"
    ) in text
    without = page_writer.write(Board(tables=tuple(tables_of([fakes.record()]))))
    assert '<td title="cpu, batch 1, float32">312</td><td></td><td></td><td></td>' in without


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0.0, "0 s"), (7.25, "7.25 s"), (119.4, "119 s"), (7199, "120 min")),
        *((7560, "2.1 h"), (172_800, "2.0 d"), (1e7, "116 d")),
    ],
)
def test_durations_have_two_or_three_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_equal_boards_make_equal_bytes(board: Board, tmp_path: Path) -> None:
    assert page_writer.page(board, folder=tmp_path) == page_writer.page(board, folder=tmp_path)


def test_a_page_elsewhere_has_other_addresses(board: Board, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = page_writer.page(board, folder=tmp_path / "docs")
    addresses = [a for a in Outline(text).addresses if not a.startswith(("#", "data:"))]
    assert all(address.startswith("../") for address in addresses)


def test_1000_runs_take_less_than_one_megabyte(tmp_path: Path) -> None:
    text = page_writer.page(many_runs(1000), folder=tmp_path, pictures=False)
    assert text.count("<tr data-kind") == 1000
    assert len(text.encode()) < 1_000_000


def test_curves_have_bands_over_seeds_and_dashed_baselines(board: Board) -> None:
    table = first(board)
    figure = lead_curves(table, "mse_sum")
    assert figure is not None
    assert figure.svg.count("<polyline") == len(figure.legend) == 3
    assert figure.svg.count("<polygon") == 1  # one recipe has several seeds
    assert figure.svg.count('class="l d') == 1
    assert lead_curves(table, "ssim") is None


def test_points_of_sizes(board: Board) -> None:
    figure = size_points(first(board), "mse_sum")
    assert figure is not None
    assert figure.svg.count("<circle") == 2
    one = tables_of([record for record, _ in board.places[:1]])
    assert size_points(one[0], "mse_sum") is None


def test_the_command_has_a_flag_for_each_format() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = parser.format_help()
    for flag in ("--html", "--latex", "--csv", "--json", "--no-pictures", "--compare"):
        assert flag in text
