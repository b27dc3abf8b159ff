"""The command visualize."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openstl_ext import cli
from openstl_ext.errors import UserError

PNG = b"\x89PNG"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Write two samples as simvp_minimal saves them: (H, W), and no about.json."""
    for kind, length in (("inputs", 3), ("trues", 2), ("preds", 2)):
        for name in ("ab_boiling_0", "cd_boiling_1"):
            folder = tmp_path / "saved" / kind / name
            folder.mkdir(parents=True)
            for t in range(length):
                np.save(folder / f"{t}.npy", np.full((5, 4), t / 3, dtype="float32"))
    return tmp_path / "saved"


def call(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command without a display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "openstl_ext", "visualize", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def test_samples_are_listed_when_none_is_named(saved: Path):
    """Users would have to find sample names of 64 digits in the folder."""
    done = call("saved/", folder=saved.parent)
    assert (done.returncode, done.stdout) == (0, "ab_boiling_0\ncd_boiling_1\n")


def test_a_figure_is_written_without_a_display_and_its_path_printed(saved: Path):
    """The command would fail on a server, or on a path with a trailing slash, as OpenSTL's."""
    done = call("saved/", "ab", "--save", folder=saved.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "saved/grid_ab_boiling_0.png"
    assert (saved / "grid_ab_boiling_0.png").read_bytes().startswith(PNG)


def test_a_figure_is_written_to_the_given_path(saved: Path):
    """The demo could not write it beside the leaderboard."""
    out = saved.parent / "new" / "grid.png"
    done = call(saved.parent, "cd_boiling_1", "--colormap", "gray", "--out", out, folder=saved)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_bytes().startswith(PNG)


@pytest.mark.slow
def test_a_mistake_is_one_sentence_and_status_2(saved: Path):
    """A new user would get a traceback, and a script would not see the failure."""
    for words in (("saved", "xb_boiling_0"), ("nowhere",), ("saved", "ab", "--channel", "7")):
        done = call(*words, folder=saved.parent)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert len(done.stderr.splitlines()) == 1


def test_the_classes_of_entire_samples_are_drawn_without_a_name(tmp_path: Path, capsys) -> None:
    """A classification would have no picture."""
    for kind, array in (("trues", [0, 1]), ("preds", [0, 0]), ("probs", np.full((2, 2), 0.5))):
        np.save(tmp_path / f"{kind}.npy", np.array(array))
    (tmp_path / "about.json").write_text('{"kind": "scenes", "classes": ["a", "b"]}')
    (tmp_path / "samples.json").write_text('["s0", "s1"]')
    cli.call(["visualize", str(tmp_path)])
    assert capsys.readouterr().out.strip() == str(tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(PNG)


def test_frames_have_no_confusion_matrix(saved: Path) -> None:
    """Values would be counted as classes."""
    with pytest.raises(UserError, match="are frames, not labels; remove --confusion"):
        cli.call(["visualize", str(saved), "--confusion"])


def other(saved: Path) -> Path:
    """Write a second run whose forecasts are all 1."""
    folder = saved.parent / "other/saved"
    shutil.copytree(saved, folder)
    for path in folder.glob("preds/*/*.npy"):
        np.save(path, np.ones((5, 4), "float32"))
    return folder.parent


def test_an_animation_of_several_samples_and_methods_is_written(saved: Path):
    """Forecasts could not be shown as they move."""
    out = saved.parent / "x.gif"
    words = [str(saved), "ab", "cd", "--beside", str(other(saved)), "--fps", "5", "--out", str(out)]
    cli.call(["visualize", *words])
    first = out.read_bytes()
    with Image.open(out) as image:
        assert image.n_frames == 5
        assert image.info["duration"] == 200
    cli.call(["visualize", *words])
    assert out.read_bytes() == first


def test_several_methods_are_drawn_below_each_other(saved: Path):
    """A difference of two methods would be searched in two pictures."""
    words = [str(saved), "ab", "--beside", str(other(saved)), "--difference"]
    cli.call(["visualize", *words])
    path = saved / "methods_ab_boiling_0.png"
    assert path.read_bytes().startswith(PNG)
    with Image.open(path) as image:
        assert image.height > 1.5 * image.width * 5 / 12


def test_options_that_would_be_ignored_are_errors(saved: Path):
    """A user would look for what is not drawn."""
    run = str(saved)
    for words, message in (
        (["ab", "cd"], "several samples are drawn as an animation"),
        (["ab", "--difference"], "--difference belongs to --beside"),
        (["ab", "--fps", "0", "--out", "a.gif"], "--fps 0 is not between"),
        (["ab", "--fps", "9"], "--fps and --panel-size belong to an animation"),
        (["ab", "--panel-size", "4", "--out", "a.gif"], "--panel-size 4 is not between"),
        (["ab", "--beside", run, "--out", "a.gif"], "given twice"),
        (["ab", "--out", "a.svg"], "must end with .png or .gif or .mp4"),
    ):
        with pytest.raises(UserError, match=message):
            cli.call(["visualize", run, *words])


def test_mp4_without_its_library_is_one_hint(saved: Path, monkeypatch: pytest.MonkeyPatch):
    """A user would get a traceback instead of the package to install."""
    monkeypatch.setitem(sys.modules, "av", None)
    out = saved.parent / "a.mp4"
    with pytest.raises(UserError, match="pip install av, or choose"):
        cli.call(["visualize", str(saved), "ab", "--out", str(out)])
    assert not list(saved.parent.glob("*.mp4*"))
