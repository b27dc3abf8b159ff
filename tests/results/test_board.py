"""From folders of results to tables."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from openstl_ext.errors import UserError
from openstl_ext.results.board import board_of
from openstl_ext.results.cells import figure
from openstl_ext.results.score import Score
from openstl_ext.results.writers import writers

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


@pytest.fixture
def runs(fakes, tmp_path: Path) -> Path:
    """Write two seeds, a probe with synthetic data, and a damaged file."""
    source = {"claimed": {"mse_sum": 23.8}}
    for seed, mse in enumerate((24.0, 25.0)):
        fakes.record(mse=mse, seed=seed, source=source).write(
            tmp_path / f"a/seed_{seed}/result.json"
        )
    fakes.record(
        mse=9.0,
        overrides=["model.x=1"],
        synthetic=True,
        selection={"split": "test", "on_test": True},
        baselines={"Persistence": {"mse_sum": 80.0, "ssim": 0.2}},
    ).write(tmp_path / "probe/result.json")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/result.json").write_text("{")
    return tmp_path


def test_a_damaged_file_is_skipped(runs: Path):
    """One truncated file would hide a thousand runs."""
    board = board_of([runs])
    assert len(board.tables[0].rows) == 3
    assert len(board.problems) == 1
    assert "broken" in board.problems[0]


def test_markdown_has_all_marks(runs: Path):
    """A table without seeds, deviations, claims, probes or synthetic data would mislead."""
    text = writers()["md"](board_of([runs]))
    for words in (
        f"**24.50 {PLUS_MINUS} 0.71** (claimed 23.8)",
        "46.77 M",
        "16.53 G",
        "312 (cpu, batch 1)",
        "not counted: aten::gelu",
        "is a probe: `--cfg-options model.x=1`",
        "selected on the test data",
        "**Synthetic data**",
        "*Persistence*",
        "mse_sum \N{DOWNWARDS ARROW}",
        "ssim \N{UPWARDS ARROW}",
        "10 -> 10 frames of 1 x 8 x 8; 30 test samples",
        "Not read:",
    ):
        assert words in text, words
    assert "**9.000**" not in text
    grid = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in grid}) == 1


def test_what_published_tables_leave_out_is_counted_apart(fakes, tmp_path: Path):
    """FLOPs of scans would be missing, or not comparable with published tables."""
    fakes.record(flops_apart={"scan": 0.8e9}).write(tmp_path / "result.json")
    text = writers()["md"](board_of([tmp_path]))
    assert "16.53 G + 800.00 M scan" in text
    assert "leave out" in text


def test_csv_and_json_have_unrounded_numbers(runs: Path):
    """Rounded numbers could not be compared again."""
    board = board_of([runs])
    lines = list(csv.DictReader(io.StringIO(writers()["csv"](board))))
    content = json.loads(writers()["json"](board))
    kinds = [line["kind"] for line in lines]
    assert kinds == ["probe", "run", "baseline"]
    assert float(lines[1]["mse_sum"]) == 24.5
    assert float(lines[1]["mse_sum_std"]) == 0.5**0.5
    assert lines[1]["mse_sum_claimed"] == "23.8"
    assert lines[1]["seeds"] == "0 1"
    scores = [row["scores"]["mse_sum"]["mean"] for row in content["tables"][0]["rows"]]
    assert scores == [float(line["mse_sum"]) for line in lines]
    assert content["tables"][0]["protocol"]["dataset"]["split"] == "test"
    assert len(content["problems"]) == 1


def test_the_same_results_give_the_same_bytes_in_any_order(runs: Path):
    """A table in a repository would change without a change of results."""
    folders = [runs / "a/seed_1", runs / "probe", runs / "a/seed_0"]
    for write in writers().values():
        assert write(board_of(folders)) == write(board_of(folders[::-1]))


def test_a_run_counts_once(fakes, runs: Path):
    """A copied folder would make two seeds of one."""
    later = fakes.record(mse=26.0, seed=1, date="2026-02-02T00:00:00Z")
    later.write(runs / "copy/result.json")
    board = board_of([runs, runs / "a", runs / "a/seed_0/result.json"])
    row = next(row for row in board.tables[0].rows if not row.overrides and not row.is_baseline)
    assert [record.metrics["mse_sum"] for record in row.records] == [24.0, 26.0]
    assert len(board.repeats) == 1
    assert "later one counts" in board.repeats[0]


def test_saved_frames_are_not_searched(fakes, runs: Path):
    """The leaderboard would search a million frames."""
    fakes.record(seed=7).write(runs / "a/saved/result.json")
    assert all(len(row.records) < 3 for row in board_of([runs]).tables[0].rows)


def test_no_result_is_an_error_with_the_next_step(tmp_path: Path):
    """An empty table would look like a broken one."""
    with pytest.raises(UserError, match=r"openstl-ext test"):
        board_of([tmp_path])
    with pytest.raises(UserError, match="does not exist"):
        board_of([tmp_path / "none"])


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (24.8666, None, "24.87"),
        (24.8666, 0.2516, f"24.87 {PLUS_MINUS} 0.25"),
        (0.91234, 0.00123, f"0.9123 {PLUS_MINUS} 0.0012"),
        (1234.5, 12.3, f"1234 {PLUS_MINUS} 12"),
        (0.0, None, "0.000"),
        (1.0, 0.0, f"1.000 {PLUS_MINUS} 0.000"),
        (3.2e-6, None, "3.200e-06"),
        (None, None, "n/a"),
    ],
)
def test_numbers_have_the_digits_that_their_deviation_supports(mean, std, text):
    """24.866612 with a deviation of 0.25 is noise after the second decimal."""
    assert figure(Score(mean, std, 3)) == text


def test_a_board_needs_no_torch():
    """The leaderboard would not run on a laptop without torch."""
    code = (
        "import sys, openstl_ext.results.writers; "
        "sys.exit(bool({'torch', 'mmengine', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def saved(letter: str, file: str, iteration: int) -> dict:
    return {"file": file, "sha256": letter * 64, "epoch": 2, "iteration": iteration}


def test_checkpoints_of_one_training_are_rows_and_the_best_one_is_that_of_the_recipe(
    fakes, tmp_path: Path
):
    """A mean over seeds would count one seed twice, or a checkpoint would be dropped."""
    for name, mse, checkpoint in (
        ("result.json", 24.0, saved("a", "best_epoch_1.pth", 10)),
        ("result_bbbbbbbb_12345678.json", 22.0, saved("b", "best_epoch_2.pth", 20)),
        ("result_cccccccc_12345678.json", 20.0, saved("c", "epoch_3.pth", 30)),
    ):
        fakes.record(mse=mse, checkpoint=checkpoint).write(tmp_path / "one" / name)
    fakes.record(mse=26.0, seed=1, checkpoint=saved("d", "best_epoch_9.pth", 90)).write(
        tmp_path / "two/result.json"
    )
    board = board_of([tmp_path])
    rows = {row.checkpoint: row for row in board.tables[0].rows}
    assert set(rows) == {"", "best_epoch_1.pth aaaaaaaa", "epoch_3.pth cccccccc"}
    assert rows[""].scores["mse_sum"].mean == 24.0  # of 22 and 26
    assert board.repeats == ()
    text = writers()["md"](board)
    assert "**24.0" in text
    assert "**20.00" not in text
    assert "(epoch_3.pth cccccccc): a further checkpoint of seed 0; the row" in text
    assert "has best_epoch_2.pth bbbbbbbb" in text
    lines = list(csv.DictReader(io.StringIO(writers()["csv"](board))))
    assert {line["checkpoint"] for line in lines} == set(rows)
    assert writers()["md"](board_of([tmp_path / "two", tmp_path / "one"])) == text


def test_trainings_that_differ_under_one_name_are_rows_with_their_difference(fakes, tmp_path: Path):
    """Seeds before and after an edit of the config would be averaged."""
    for seed, hidden in enumerate((8, 8, 4)):
        training = {"seed": seed, "model.net.hidden": hidden, "train_data.values": [[seed]]}
        fakes.record(seed=seed, training=training).write(tmp_path / f"{seed}/result.json")
    board = board_of([tmp_path])
    rows = board.tables[0].rows
    assert sorted(len(row.records) for row in rows) == [1, 2]
    text = writers()["md"](board)
    assert r"\~ SimVP-gSTA was trained otherwise: model.net.hidden 4, not 8" in text


def test_weights_of_unknown_training_are_marked_and_never_the_best(fakes, tmp_path: Path):
    """Converted weights would stand in bold as the recipe."""
    fakes.record(mse=20.0, seed=1, training=None).write(tmp_path / "old/result.json")
    fakes.record(mse=24.0).write(tmp_path / "new/result.json")
    board = board_of([tmp_path])
    text = writers()["md"](board)
    assert "**24.00**" in text
    assert "**20.00**" not in text
    assert r"SimVP-gSTA\?" in text
    assert "does not state how it was trained" in text
    kinds = [line["kind"] for line in csv.DictReader(io.StringIO(writers()["csv"](board)))]
    assert sorted(kinds) == ["run", "unknown"]
