"""The command `openstl-ext data import`."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.errors import UserError
from openstl_ext.frame_record import read_record

RNG = np.random.default_rng(0)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write an array of a single long sequence, in the current folder."""
    monkeypatch.chdir(tmp_path)
    np.save("wind.npy", RNG.normal(size=(60, 2, 8, 12)).astype(np.float32))
    return tmp_path


def call(*more: str, out: str = "data/wind") -> None:
    words = ["wind.npy", "--axes", "TCHW", "--channels", "u,v", "--unit", "m/s", "--window", "4+2"]
    cli.call(["data", "import", *words, "--out", out, *more])


def test_an_import_states_its_facts_and_the_next_command(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user would not see that channels or splits are not as intended."""
    call("--split", "0.6/0.2/0.2", "--by", "time", "--stride", "2")
    printed = capsys.readouterr().out
    assert "sequences: 1 of 60 frames\nframes: 2 x 8 x 12 (channels x height x width)" in printed
    assert "samples: 16 train, 4 val, 4 test; 4 inputs and 2 targets, every 2 frames" in printed
    assert "next: openstl-ext train --recipe simvp_gsta --data data/wind --test" in printed
    assert "unit m/s (training frames)" in printed
    assert (source / "data/wind/sample.png").read_bytes()[:4] == b"\x89PNG"
    record = read_record(Path("data/wind"))
    assert (record.name, record.window, record.by) == ("wind", (4, 2), "time")


def test_a_failed_import_leaves_nothing(source: Path) -> None:
    """A half-written import would be trained on."""
    with pytest.raises(UserError, match="leaves no window for val"):
        call("--split", "0.98/0.01/0.01")
    with pytest.raises(UserError, match="--crop 99x1 is no part"):
        call("--crop", "99x1")
    assert sorted(path.name for path in source.rglob("*")) == ["data", "wind.npy"]


def test_no_folder_is_replaced_unasked(source: Path) -> None:
    """An import, other files or the source itself would be deleted."""
    call()
    with pytest.raises(UserError, match="has an import; add --replace"):
        call()
    with pytest.raises(UserError, match="--name 'a/b': expected letters"):
        call("--replace", "--name", "a/b")
    call("--replace", "--name", "gusts")
    assert read_record(Path("data/wind")).name == "gusts"
    Path("other").mkdir()
    Path("other/thesis.txt").write_text("x")
    with pytest.raises(UserError, match="exists and is no import"):
        call("--replace", out="other")
    with pytest.raises(UserError, match="contains the source"):
        call("--replace", out=".")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--window", "10"], "'10': expected two numbers, as in 10[+]10"),
        (["--split", "0.7/0.3"], "shares of train, val and test, as in 0.7/0.15/0.15"),
        (["--crop", "0x4"], "as in 64x96, height x width"),
    ],
)
def test_a_misspelt_option_is_answered_with_an_example(
    source: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user would have to guess the form."""
    with pytest.raises(SystemExit, match="2"):
        call(*words)
    import re

    assert re.search(message, capsys.readouterr().err)
