"""The command plot-horizons."""

import subprocess
import sys
from pathlib import Path

import pytest

from openstl_ext.results.protocol import protocol_of
from openstl_ext.results.record import Record


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Write the record of one run with a baseline."""
    metainfo = {"name": "toy", "lead": [5, "yr"]}
    Record(
        config="toy/net",
        name="Net",
        method="MultiHorizonRegression",
        model="Net",
        protocol=protocol_of({"type": "Toy"}, [], metainfo, size=3, shapes={}),
        metrics={"mae": 1.5, "mae@1": 1.0, "mae@2": 2.0},
        baselines={"Persistence": {"mae": 3.5, "mae@1": 3.0, "mae@2": 4.0}},
        seed=0,
    ).write(tmp_path / "work_dirs/toy/net/seed_0/result.json")
    return tmp_path


def call(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "openstl_ext", "plot-horizons", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_figure_is_written_and_its_path_printed(runs: Path) -> None:
    """A comparison would have no figure, or fail in a new folder."""
    done = call("work_dirs", "--metric", "mae", "--out", "new/mae.png", folder=runs)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()) == Path("new/mae.png")
    assert (runs / "new/mae.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_needs_no_torch(runs: Path) -> None:
    """Results could not be plotted on a laptop without torch."""
    code = (
        "import sys; from openstl_ext import cli; cli.call(['plot-horizons', 'work_dirs']); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=runs, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (runs / "horizons_mae.png").is_file()


def test_a_mistake_is_one_sentence_and_status_2(runs: Path) -> None:
    """A new user would get a traceback, and a script would not see the failure."""
    for words in (("nowhere",), ("work_dirs", "--metric", "x"), ("work_dirs", "--out", "a.pdf")):
        done = call(*words, folder=runs)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1
