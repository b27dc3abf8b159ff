"""The command leaderboard."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from openstl_ext import cli
from openstl_ext.errors import UserError
from openstl_ext.results.protocol import protocol_of
from openstl_ext.results.record import Record


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two seeds of one recipe."""
    protocol = protocol_of({"type": "Toy"}, [], {"name": "toy"}, size=3, shapes={})
    for seed in range(2):
        Record(
            config="toy/net",
            name="Net",
            method="DirectForecast",
            model="Net",
            protocol=protocol,
            metrics={"mse_sum": 2.0 + seed, "mse_sum@1": 1.0, "ssim": 0.5},
            seed=seed,
        ).write(tmp_path / f"work_dirs/toy/net/seed_{seed}/result.json")
    return tmp_path


def call(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openstl_ext", "leaderboard", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")


def test_a_table_is_printed_and_written(runs: Path):
    """The demo could not end with its table, or the file would differ from the output."""
    words = ("work_dirs", "--out", "board.md", "--metrics", "ssim", "mse_sum@*")
    done = call(*words, folder=runs)
    assert (done.returncode, done.stderr) == (0, "")
    assert (runs / "board.md").read_text(encoding="utf-8") == done.stdout
    assert "mse_sum@1" in done.stdout
    assert "| mse_sum " not in done.stdout


def test_a_folder_gets_every_format(runs: Path):
    """A spreadsheet or a program could not read the tables."""
    done = call("work_dirs", "--out", "tables", "--format", "json,csv", folder=runs)
    assert done.returncode == 0
    assert sorted(p.name for p in (runs / "tables").iterdir()) == [
        "leaderboard.csv",
        "leaderboard.json",
    ]
    content = json.loads((runs / "tables/leaderboard.json").read_text())
    assert content["tables"][0]["rows"][0]["scores"]["mse_sum"]["mean"] == 2.5


def test_a_damaged_file_is_a_warning_and_with_strict_an_error(runs: Path):
    """One damaged file would hide all results, or pass a check of results."""
    (runs / "work_dirs/result.json").write_text("{")
    done = call("work_dirs", folder=runs)
    assert done.returncode == 0
    assert "warning: not read: work_dirs/result.json" in done.stderr.replace("\\", "/")
    assert call("work_dirs", "--strict", folder=runs).returncode == 2


def test_a_mistake_is_one_sentence_and_status_2(runs: Path):
    """A new user would get a traceback, and a script would not see the failure."""
    for words in (("nowhere",), ("work_dirs", "--out", "a.xlsx"), ("work_dirs", "--metrics", "x")):
        done = call(*words, folder=runs)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


def test_a_board_is_read_back_from_its_json(runs: Path, monkeypatch: pytest.MonkeyPatch):
    """A table that was sent without its runs could not be printed as LaTeX."""
    monkeypatch.chdir(runs)
    other = Record.read(Path("work_dirs/toy/net/seed_0/result.json"))
    other = msgspec.structs.replace(other, config="toy/other", name="Other")
    other.write(Path("work_dirs/toy/other/seed_0/result.json"))
    files = ("--html", "--latex", "--csv", "--json")
    for folder, source in (("one", "work_dirs"), ("two", "one/json")):
        Path(folder).mkdir()
        names = [word for flag in files for word in (flag, f"{folder}/{flag[2:]}")]
        cli.call(["leaderboard", source, *names, "--format", "md"])
    for flag in files:
        assert Path("one", flag[2:]).read_bytes() == Path("two", flag[2:]).read_bytes()
    Path("work_dirs").rename("gone")
    with pytest.raises(UserError, match="has no tallies of samples, so give the folders"):
        cli.call(["leaderboard", "one/json", "--compare", "toy/net", "toy/other"])
    with pytest.raises(UserError, match="is the same file as the input"):
        cli.call(["leaderboard", "one/json", "--html", "one/json"])
