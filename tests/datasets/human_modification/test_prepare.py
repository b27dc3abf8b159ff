"""Preparation of the rasters: split, statistics and checks, with their commands."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.report import verify
from openstl_ext.datasets.human_modification.split import SplitSettings, draw_split
from openstl_ext.datasets.human_modification.statistics import measure_training
from openstl_ext.errors import DataError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.statistics import Statistics
from tests.commands.test_data import call as run_data
from tests.datasets.human_modification.rasters_folder import (
    NODATA,
    SHAPE,
    YEARS,
    index_of,
    set_pixel,
    write_year,
)
from tests.rasters.files import write_tif

CHOICE = HMChoice(target="AA", dynamic=("AG",), static=("tas",))
SMALL = SplitSettings(chip_size=4, buffer=1, block_size=8)


call = partial(run_data, "human-modification")


def test_a_split_is_drawn_over_blocks_with_data(root: Path) -> None:
    """Blocks of sea would be assigned to splits, or the seed would have no effect."""
    sea = index_of(2020)
    sea[:8] = NODATA
    write_year(root, "AA", 2020, sea, nodata=NODATA)
    lines = draw_split(root, CHOICE, SMALL)
    first = BlockSplit.read(root / "split.json")
    assert first.names == ("train", "val", "test", "calibration")
    assert not first.codes[0].any()
    assert (first.codes[1:] > 0).all()
    assert [int((first.codes == k).sum()) for k in range(1, 5)] == [12, 2, 2, 2]
    assert (first.about["buffer"], first.about["known_in"]) == (1, "HM_2020_AA_1000.tiff")
    assert lines[0].startswith("train: 12 blocks of 8 pixels")
    draw_split(root, CHOICE, SMALL)
    np.testing.assert_array_equal(BlockSplit.read(root / "split.json").codes, first.codes)
    draw_split(root, CHOICE, SplitSettings(chip_size=4, buffer=1, block_size=8, seed=7))
    assert (BlockSplit.read(root / "split.json").codes != first.codes).any()


def test_a_split_without_a_chip_is_not_written(root: Path) -> None:
    """Training would fail after a long computation of statistics."""
    (root / "split.json").unlink()
    with pytest.raises(DataError, match="no chip of 8 pixels with a buffer of 1 fits"):
        draw_split(root, CHOICE, SplitSettings(chip_size=8, buffer=1, block_size=8))
    assert not (root / "split.json").exists()


def training_pixels() -> np.ndarray:
    """Return the training pixels of the folder: the first three stripes of blocks."""
    mask = np.zeros(SHAPE, bool)
    mask[:, :24] = True
    return mask


def test_statistics_are_of_known_training_pixels(root: Path) -> None:
    """Test blocks would influence normalisation, or gaps would count as numbers."""
    known = np.stack([training_pixels()] * len(YEARS))
    known[:, 3, 5] = False
    known[2, 8, 9] = False
    for k, year in enumerate(YEARS):
        set_pixel(root, f"HM_{year}_AA_1000.tiff", 3, 5)
        if k == 2:
            set_pixel(root, f"HM_{year}_AA_1000.tiff", 8, 9)
    set_pixel(root, "HM_1990_AG_1000.tiff", 7, 7)  # a gap that means 0
    set_pixel(root, "hm_static_tas_1000.tiff", 2, 2)  # a gap that means missing
    found = measure_training(root, CHOICE)

    index = np.stack([index_of(y) for y in YEARS]).astype(np.float64)
    agriculture = index * 2
    agriculture[0, 7, 7] = 0
    warmth = (index_of(1990) + 10).astype(np.float64)
    there = known[-1].copy()
    there[2, 2] = False
    for group, values in (
        ("frames", index[known]),
        ("dynamic", agriculture[known]),
        ("static", warmth[there]),
    ):
        statistics = found.groups[group]
        np.testing.assert_allclose(statistics.mean, values.mean(), rtol=1e-6)
        np.testing.assert_allclose(statistics.std, values.std(), rtol=1e-6)
        assert statistics.count == (values.size,)
    assert found.about["zero_where_missing"] == ["AG"]


def test_pixels_outside_the_training_blocks_do_not_change_statistics(root: Path) -> None:
    """Normalisation would depend on the test set."""
    before = measure_training(root, CHOICE)
    for name, factor in (("AA", 0.5), ("AG", 100.0)):
        for year in YEARS:
            values = index_of(year) * (2 if name == "AG" else 1)
            changed = np.where(training_pixels(), values, values * factor)
            write_year(root, name, year, changed, nodata=NODATA)
    assert measure_training(root, CHOICE) == before


def test_a_constant_variable_is_rejected(root: Path) -> None:
    """Normalisation would divide by zero."""
    write_tif(root / "hm_static_tas_1000.tiff", np.full(SHAPE, 3, np.float32))
    with pytest.raises(DataError, match="tas has the same value everywhere"):
        measure_training(root, CHOICE)


@pytest.mark.filterwarnings("ignore:.*values are fractions")
@pytest.mark.parametrize("command", [measure_training, verify])
def test_an_index_to_1_declared_to_10000_is_rejected(
    root: Path, command: Callable[[Path, HMChoice], object]
) -> None:
    """Results would be wrong by four orders of magnitude."""
    choice = HMChoice(target="AA", values="0-10000")
    with pytest.raises(
        DataError, match=r"HM_2020_AA_1000\.tiff: the largest value of all years is 0\.\d+"
    ):
        command(root, choice)


def test_verify_reports_each_raster_and_split(root: Path) -> None:
    """A broken download would be found during training."""
    set_pixel(root, "hm_static_tas_1000.tiff", 2, 2)
    lines = verify(root, CHOICE, chip_size=4)
    assert lines[0].startswith("32 x 48 pixels of 0.5 x -0.5")
    assert "HM_1995_AA_1000.tiff: 0.05 to 0.43375, 0.0% missing" in lines
    tas = next(line for line in lines if "tas" in line)
    assert tas.startswith("hm_static_tas_1000.tiff: 10 to 10.38")
    assert tas.endswith("0.1% missing")  # 1 of 1536
    assert any(line.startswith("calibration: 4 blocks of 8 pixels") for line in lines)
    assert lines[-1] == "no pixel is shared between train, val, test, calibration"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda r: set_pixel(r, "HM_2005_AA_1000.tiff", 20, 40, 1.5),
            r"HM_2005_AA.*1\.5 at .*outside",
        ),
        (lambda r: (r / "HM_2005_AA_1000.tiff").unlink(), "no raster of AA 2005"),
        (
            lambda r: write_year(r, "BU", 1990, np.full(SHAPE, NODATA), nodata=NODATA),
            r"HM_1990_BU_1000\.tiff has no data",
        ),
        (
            lambda r: write_tif(r / "hm_static_pr_1000.tiff", index_of(1990)[:, :9]),
            r"hm_static_pr_1000\.tiff and .* differ in size",
        ),
    ],
)
def test_verify_rejects_unusable_rasters(
    root: Path, change: Callable[[Path], object], message: str
) -> None:
    """Verified data would fail later."""
    change(root)
    with pytest.raises(DataError, match=message):
        verify(root, CHOICE, chip_size=4)


def test_the_commands_prepare_a_folder(root: Path) -> None:
    """The documented commands would not work."""
    which = ("--root", root, "--version", "direct", "--dynamic", "AG", "--static", "tas")
    output = call("split", *which, "--chip-size", 4, "--buffer", 1, "--block-size", 8)
    assert "24 of 24 blocks used" in output
    assert "AA: mean 0." in call("statistics", *which)
    found = Statistics.read(root / "statistics_direct.json", prepare="")
    assert [found.groups[g].names for g in ("frames", "dynamic", "static")] == [
        ("AA",),
        ("AG",),
        ("tas",),
    ]
    assert "no pixel is shared" in call("verify", *which)
    dataset = HumanModification(root=str(root), split="test", target="AA", chip_size=4)
    assert dataset.buffer == 1
    assert not dataset.metainfo.synthetic


def test_mistakes_are_one_sentence(root: Path) -> None:
    """A typing error would print a traceback."""
    with pytest.raises(SystemExit, match="error: give split, statistics, verify or --miniature"):
        call("--root", root)
    with pytest.raises(SystemExit, match=r"error: .* has no raster of HM 1990"):
        call("verify", "--root", root)
    with pytest.raises(SystemExit, match="has files that are not marked as synthetic"):
        call("--root", root, "--miniature")


def test_an_edited_split_with_an_extra_block_is_rejected(root: Path) -> None:
    """Blocks would move to other splits after an edit."""
    document = json.loads((root / "split.json").read_text())
    document["blocks"][0] = "1" + document["blocks"][0]
    (root / "split.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="draw the split again"):
        verify(root, CHOICE, chip_size=4)
