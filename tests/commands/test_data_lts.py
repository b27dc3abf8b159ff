"""Command that prepares long time series."""

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


@pytest.mark.slow
def test_one_command_writes_a_miniature_and_never_into_real_data(tmp_path: Path) -> None:
    """Real data would be overwritten by synthetic data."""
    root = tmp_path / "mini"
    assert "SYNTHETIC" in call("lts", "--root", root, "--miniature")
    for form in ("", "patches", "geotiff"):
        report = call("lts", "verify", "--root", root / form, "--patch-size", 32)
        assert "10 years 2008-2018 without 2012" in report
        assert "of the observations are missing" in report
        assert "no pixel is shared between train, val, test" in report
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/label.npy").write_text("real")
    with pytest.raises(SystemExit, match=r"error: .*mine has files that are not marked"):
        call("lts", "--root", tmp_path / "mine", "--miniature")


def test_a_series_is_cut_verified_and_balanced(root: Path) -> None:
    """Users could not prepare their own data."""
    report = call("lts", "cut", "--root", root, *SIZES, "--negative-ratio", 0.5)
    assert "train: " in report
    assert "no pixel is shared" in call("lts", "verify", "--root", root, "--patch-size", 16)
    patches = root.parent / "patches"
    call("lts", "cut", "--source", root, "--root", patches, "--form", "patches", *SIZES)
    assert len(LTSSegmentation(root=str(patches), split="train", patch_size=16)) > 3


def test_statistics_of_some_bands_can_be_computed(root: Path) -> None:
    """Configs with two bands would have no statistics."""
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
    """The command in the message about a pickle would not work."""
    np.save(tmp_path / "landsat_stackV2.npy", np.ones((3, 2, 8, 8), np.float32))
    np.save(tmp_path / "labelV2.npy", np.zeros((8, 8), bool))
    command = ("convert", "--source", tmp_path, "--root", tmp_path / "lts", "--bands", "red", "nir")
    report = call("lts", *command, "--years", "1999", "2001-2002")
    assert "landsat_stack.npy: (3, 2, 8, 8) red, nir" in report
    for years in (["1999-"], ["soon"], ["2001", "2000"], ["1999"]):
        with pytest.raises(SystemExit, match="error: "):
            call("lts", *command, "--years", *years)


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    """A typing error would print a traceback."""
    with pytest.raises(SystemExit, match=r"error: give cut, convert, statistics, verify"):
        call("lts", "--root", tmp_path)
    with pytest.raises(SystemExit, match=r"error: no dataset at .*nowhere"):
        call("lts", "cut", "--root", tmp_path / "nowhere")
    with pytest.raises(SystemExit, match=r"error: .*landsat_stack\.npy: not a readable array"):
        call("lts", "convert", "--source", tmp_path, "--bands", "red")
