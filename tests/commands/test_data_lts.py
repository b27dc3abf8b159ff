"""The command data lts."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.statistics import Statistics
from tests.commands.test_data import call

SIZES = ("--patch-size", 16, "--block-size", 32, "--buffer", 2)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "some data"
    LTSSegmentation.make_toy(path)
    return path


def test_a_miniature_is_one_command_away_and_never_among_real_data(tmp_path: Path) -> None:
    """Nothing could be tried offline, or a trial would overwrite real data."""
    root = tmp_path / "mini"
    assert "SYNTHETIC" in call("lts", "--root", root, "--miniature")
    for form in ("", "patches", "geotiff"):
        printed = call("lts", "verify", "--root", root / form, "--patch-size", 32)
        assert "10 years 2008-2018 without 2012" in printed
        assert "of the observations are missing" in printed
        assert "no pixel is shared between train, val, test" in printed
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/label.npy").write_text("real")
    with pytest.raises(SystemExit, match=r"error: .*mine is not empty"):
        call("lts", "--root", tmp_path / "mine", "--miniature")


def test_a_series_is_cut_verified_and_balanced(root: Path) -> None:
    """A user's own images could not be prepared."""
    printed = call("lts", "cut", "--root", root, *SIZES, "--negative-ratio", 0.5)
    assert "train: " in printed
    assert "no pixel is shared" in call("lts", "verify", "--root", root, "--patch-size", 16)
    patches = root.parent / "patches"
    call("lts", "cut", "--source", root, "--root", patches, "--form", "patches", *SIZES)
    assert len(LTSSegmentation(root=str(patches), patch_size=16)) > 3


def test_statistics_of_some_bands_can_be_requested(root: Path) -> None:
    """A config with two bands would find no statistics of them."""
    out = root / "nir_red.json"
    assert "nir, red" in call(
        "lts", "statistics", "--root", root, "--bands", "nir", "red", "--out", out
    )
    some = Statistics.read(out, prepare="").of("frames", ("nir", "red"), path=out)
    full = Statistics.read(root / "statistics.json", prepare="").groups["frames"]
    assert some.mean == (pytest.approx(full.mean[3]), pytest.approx(full.mean[2]))
    (root / "blocks.json").unlink()
    command = ("statistics", "--root", root, "--patch-size", 16, "--out", out)
    assert "of the training patches" in call("lts", *command)


def test_published_files_are_converted(tmp_path: Path) -> None:
    """The error about a pickle would name a command that does not work."""
    np.save(tmp_path / "landsat_stackV2.npy", np.ones((3, 2, 8, 8), np.float32))
    np.save(tmp_path / "labelV2.npy", np.zeros((8, 8), bool))
    command = ("convert", "--source", tmp_path, "--root", tmp_path / "lts", "--bands", "red", "nir")
    printed = call("lts", *command, "--years", "1999", "2001-2002")
    assert "landsat_stack.npy: (3, 2, 8, 8) red, nir" in printed
    for years in (["1999-"], ["soon"], ["2001", "2000"], ["1999"]):
        with pytest.raises(SystemExit, match="error: "):
            call("lts", *command, "--years", *years)


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    """A typo would print a traceback, or nothing."""
    with pytest.raises(SystemExit, match=r"error: say cut, convert, statistics, verify"):
        call("lts", "--root", tmp_path)
    with pytest.raises(SystemExit, match=r"error: no dataset at .*nowhere"):
        call("lts", "cut", "--root", tmp_path / "nowhere")
    with pytest.raises(SystemExit, match=r"error: .*has no landsat_stackV2\.npy"):
        call("lts", "convert", "--source", tmp_path, "--bands", "red")
