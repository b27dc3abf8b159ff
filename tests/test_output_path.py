"""Outputs are refused before the work, not after it."""

import os
from pathlib import Path

import pytest

from openstl_ext import cli, output_path
from openstl_ext.errors import UserError
from openstl_ext.output_path import check_file, check_folder

LONG = "n" * 256


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the present folder, with a file, a folder, a pipe and a loop of links."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("input.png").touch()
    Path("alias.png").symlink_to("input.png")
    Path("folder.png").mkdir()
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe.png")
    return tmp_path


REFUSED = {
    "folder.png": "is a folder; choose a file name",
    "pipe.png": "is a device; choose a file name",
    "input.png": "is the same file as the input; choose another name",
    "alias.png": "is the same file as the input; choose another name",
    "file/x.png": "is not a folder; choose another path",
    "file/deep/x.png": "is not a folder; choose another path",
    "loop/x.png": "is not a folder; choose another path",
    f"{LONG}.png": "at most 255 are possible; choose a shorter one",
    f"new/{LONG}/x.png": "at most 255 are possible; choose a shorter one",
    "x.jpg": "the name must end with .png",
    "": "the name must end with .png",
}


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_an_output_that_cannot_be_written_is_refused(here: Path, name: str, reason: str) -> None:
    """The result of an hour of computation would be lost at its end."""
    before = sorted(here.rglob("*"))
    with pytest.raises(UserError, match=reason) as caught:
        check_file(Path(name), option="--out", suffixes=(".png",), sources=[Path("input.png")])
    assert str(caught.value).startswith("--out ")
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("name", ["x.png", "new/deep/x.png", "x.PNG", "n" * 251 + ".png"])
def test_an_output_that_can_be_written_is_accepted(here: Path, name: str) -> None:
    """A user could not write to a new folder, or with the longest possible name."""
    check_file(Path(name), option="--out", suffixes=(".png",))
    assert not Path(name).parent.exists() or Path(name).parent == Path()


def test_a_folder_without_permission_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result of an hour of computation would be lost at its end."""
    monkeypatch.setattr(output_path.os, "access", lambda *_: False)
    with pytest.raises(UserError, match=r"--work-dir new/run: .* cannot be written"):
        check_folder(Path("new/run"), option="--work-dir")
    assert not Path("new").exists()
    assert here.exists()


COMMANDS = {
    "leaderboard": ["missing", "--out", "OUT"],
    "plot-horizons": ["missing", "--out", "OUT.png"],
    "plot-power-spectra": ["missing", "--out", "OUT.png"],
    "plot-rank-histogram": ["missing", "--out", "OUT.png"],
    "plot-reliability": ["missing", "--out", "OUT.png"],
    "plot-score-card": ["missing", "--compare", "a", "b", "--out", "OUT.png"],
    "plot-spectrum": ["missing", "--out", "OUT.png"],
    "plot-training": ["missing", "--out", "OUT.png"],
    "predict": ["boiling/simvp_gsta_small", "missing.pth", "--input", "input.png", "--out", "OUT"],
    "convert": ["input.png", "OUT"],
    "train": ["boiling/simvp_gsta_small", "--work-dir", "OUT"],
    "test": ["boiling/simvp_gsta_small", "--work-dir", "OUT"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_checks_its_output_first(here: Path, name: str) -> None:
    """A command would read, load and compute before it refuses its output."""
    line = [word.replace("OUT", "file/out") for word in COMMANDS[name]]
    with pytest.raises(UserError, match="is not a folder; choose another path"):
        cli.call([name, *line])
    assert here.exists()
