"""A board as one page of HTML."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from openstl_ext.commands.leaderboard import add_arguments
from openstl_ext.results.board import Board, board_of
from openstl_ext.results.board_figures import lead_curves, size_points
from openstl_ext.results.cells import duration
from openstl_ext.results.table import Table, tables_of
from openstl_ext.results.writers import html as page_writer
from openstl_ext.results.writers import writers
from tests.results.pages import Outline, many_runs, published, record, two_tables, write


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
    assert all((tmp_path / unquote(address)).exists() for address in local)
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
    best = re.findall(r'<td class="best"[^>]*>([^<]+)', text)
    assert "10.00 \N{PLUS-MINUS SIGN} 0.50" in best
    assert re.search(r">record 0</a> .*>record 1</a>", text)
    assert "interquartile mean" in text


def test_latency_and_training_are_those_of_the_records(fakes: Any) -> None:
    """A latency that is computed from the speed of batches is none that a user waits for."""
    latency = {"value": 1.25, "device": "cpu", "dtype": "float32", "calls": 3}
    on_cpu = {"seconds": 100.0, "devices": 1, "device": "x86_64 (2 threads)"}
    on_gpu = {"seconds": 7200.0, "devices": 4, "device": "NVIDIA A100"}
    runs = [
        fakes.record(seed=0, latency=latency, training_time=[on_gpu]),
        fakes.record(seed=1, latency={**latency, "value": 1.75}, training_time=[on_gpu]),
        fakes.record(seed=2, training_time=[on_cpu, on_gpu]),
    ]
    text = page_writer.write(Board(tables=tuple(tables_of(runs))))
    assert '<td title="median of 3 calls">1500</td>' in text
    assert (
        '<td data-sort="7300">2.0 h<small>1 x x86_64 (2 threads) + 4 x NVIDIA A100</small><br>'
        "2.0 h<small>4 x NVIDIA A100</small></td>"
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
    text = page_writer.page(many_runs(1000, tmp_path), folder=tmp_path, pictures=False)
    assert text.count("<tr data-kind") == 1000
    assert len(text.encode()) < 1_000_000
    assert 'data-more="config:net_' in text
    assert "Intervals are those of mse_sum" in text


def test_figures_that_find_no_room_are_named(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_writer, "FURTHER_FIGURES", 0)
    text = page_writer.write(board)
    assert 'data-metric="mse_sum"' in text
    assert 'data-metric="ssim"' not in text
    assert "Without figures, so that the page stays small: ssim." in text


def test_each_score_with_figures_can_be_chosen(board: Board) -> None:
    """The figures of all but the first score were not drawn."""
    text = page_writer.write(board)
    assert re.findall(r'<option value="(\w+)">', text) == ["mse_sum", "ssim"]
    figures = re.findall(r'<figure data-metric="(\w+)"( hidden)?>', text)
    assert sorted(figures) == [("mse_sum", "")] * 3 + [("ssim", " hidden")]


def test_the_best_curves_are_those_of_the_score(tmp_path: Path) -> None:
    """The best recipes by the first score were drawn, whatever the score."""
    table = many_runs(20).tables[0]
    figure = lead_curves(table, "score_0")
    assert figure is not None
    best = sorted(table.rows, key=lambda row: row.scores["score_0"].mean or 0.0)[:8]
    assert list(figure.legend) == [row.label for row in table.rows if row in best]
    assert figure.caption == "score_0 by lead; the best 8 of 20 recipes"


def test_a_score_that_some_seeds_lack_states_it(tmp_path: Path) -> None:
    """A mean over two of three seeds was shown as one over three."""
    runs = [record("A", "a", 1.0 + seed, seed=seed) for seed in range(3)]
    runs[0].metrics["ssim"] = None
    text = page_writer.write(Board(tables=tuple(tables_of(runs))))
    assert text.count("2 of 3 runs") == 1


def test_runs_on_two_machines_name_both(tmp_path: Path) -> None:
    """The speed and memory of a row would be those of another machine."""
    runs = [record("A", "a", 1.0, seed=k, environment={"device": d}) for k, d in enumerate("xyx")]
    assert ">x / y</td>" in page_writer.write(Board(tables=tuple(tables_of(runs))))


def test_a_baseline_that_differs_between_runs_is_marked(tmp_path: Path) -> None:
    """Its deviation was said to be over seeds, and its curve was that of the first run."""
    runs = [
        record("A", f"a{k}", 1.0, baselines={"TrainingMean": {"mse_sum": m, "mse_sum@1": m}})
        for k, m in enumerate((4.0, 6.0))
    ]
    for run in runs:
        run.baselines["TrainingMean"]["mse_sum@2"] = 9.0
    (table,) = tables_of(runs)
    board = Board(tables=(table,))
    assert "not the same in all runs" in page_writer.write(board)
    assert "TrainingMean: not the same in all runs" in writers()["md"](board)
    figure = lead_curves(table, "mse_sum")
    assert figure is not None
    assert "polygon" not in figure.svg
    (line,) = re.findall(r'class="l d c2" points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"', figure.svg)
    assert 0 < float(line[1]) < float(line[0])  # 5 is below 9; the axis points down


def test_rows_of_one_label_are_told_apart_in_figures(tmp_path: Path) -> None:
    """Two curves had one name in the legend."""
    other = {"model.type": "DirectForecast", "lr": "2"}
    runs = [record("A", "a", 1.0), record("A", "b", 2.0), record("A", "a", 3.0, training=other)]
    figure = lead_curves(tables_of(runs)[0], "mse_sum")
    assert figure is not None
    assert sorted(figure.legend) == ["A, a", "A, a (trained otherwise)", "A, b"]


def test_zero_is_a_tick_and_no_rounding_error() -> None:
    """The axis had a tick of 1.11e-16."""
    runs = [
        record("A", f"a{k}", 1.0, metrics={"skill": value}, num_parameters=10 ** (5 + k))
        for k, value in enumerate((-0.6, 0.19))
    ]
    figure = size_points(tables_of(runs)[0], "skill")
    assert figure is not None
    assert re.findall(r'class="y">([^<]+)', figure.svg) == ["-0.6", "-0.4", "-0.2", "0", "0.2"]


@pytest.mark.skipif(os.name == "nt", reason="names of files are texts there")
def test_a_link_to_a_name_that_is_no_text(tmp_path: Path) -> None:
    """A folder of another encoding ended the command with a traceback."""
    write(tmp_path / os.fsdecode(b"caf\xe9"), record("A", "a", 1.0))
    text = page_writer.page(board_of([tmp_path]), folder=tmp_path)
    assert 'href="caf%E9/work%20dirs/a/seed_0/result.json"' in text


def test_published_rows_can_be_filtered(tmp_path: Path) -> None:
    text = page_writer.write(published(tmp_path))
    number = re.findall(r'<span class="count">(\d+)</span>', text)
    assert [str(text.count('<tr data-kind="published">'))] == number
    assert '<input type="checkbox" value="published" checked>' in text


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
