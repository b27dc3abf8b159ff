"""Preparing rasters of the index, as a user types the commands."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.datasets.human_modification.rasters import HMChoice
from openstl_ext.datasets.human_modification.report import verify
from openstl_ext.datasets.human_modification.split import SplitRecipe, draw_split
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
    plant,
    write_folder,
    write_year,
)
from tests.rasters.files import write_tif

CHOICE = HMChoice(target="AA", dynamic=("AG",), static=("tas",))
SMALL = SplitRecipe(chip_size=4, buffer=1, block_size=8)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written")
    write_folder(path)
    return path


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    """A folder that a test may spoil."""
    return Path(shutil.copytree(written, tmp_path / "root"))


call = partial(run_data, "human-modification")


def test_a_split_is_drawn_over_blocks_with_data(root: Path) -> None:
    """If this fails, blocks of sea are dealt out, or another seed is the same split."""
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
    draw_split(root, CHOICE, SplitRecipe(chip_size=4, buffer=1, block_size=8, seed=7))
    assert (BlockSplit.read(root / "split.json").codes != first.codes).any()


def test_a_split_without_place_for_a_chip_is_not_written(root: Path) -> None:
    """If this fails, the training finds out after a day of statistics."""
    (root / "split.json").unlink()
    with pytest.raises(DataError, match="no place for a chip of 8 pixels with a buffer of 1"):
        draw_split(root, CHOICE, SplitRecipe(chip_size=8, buffer=1, block_size=8))
    assert not (root / "split.json").exists()


def training_pixels() -> np.ndarray:
    """Where the split of the folder trains: its first three stripes of blocks."""
    mask = np.zeros(SHAPE, bool)
    mask[:, :24] = True
    return mask


def test_statistics_are_those_of_training_pixels_that_are_known(root: Path) -> None:
    """If this fails, the test blocks leak into training, or gaps count as numbers."""
    known = np.stack([training_pixels()] * len(YEARS))
    known[:, 3, 5] = False
    known[2, 8, 9] = False
    for k, year in enumerate(YEARS):
        plant(root, f"HM_{year}_AA_1000.tiff", 3, 5)
        if k == 2:
            plant(root, f"HM_{year}_AA_1000.tiff", 8, 9)
    plant(root, "HM_1990_AG_1000.tiff", 7, 7)  # a gap that means none
    plant(root, "hm_static_tas_1000.tiff", 2, 2)  # a gap that means not known
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


def test_what_lies_outside_of_the_training_changes_nothing(root: Path) -> None:
    """If this fails, normalisation knows the test."""
    before = measure_training(root, CHOICE)
    for name, factor in (("AA", 0.5), ("AG", 100.0)):
        for year in YEARS:
            values = index_of(year) * (2 if name == "AG" else 1)
            changed = np.where(training_pixels(), values, values * factor)
            write_year(root, name, year, changed, nodata=NODATA)
    assert measure_training(root, CHOICE) == before


def test_a_variable_that_says_nothing_is_named(root: Path) -> None:
    """If this fails, a division by zero is trained on."""
    write_tif(root / "hm_static_tas_1000.tiff", np.full(SHAPE, 3, np.float32))
    with pytest.raises(DataError, match="tas has one value everywhere"):
        measure_training(root, CHOICE)


@pytest.mark.parametrize("do", [measure_training, verify])
def test_an_index_to_1_that_is_said_to_go_to_10000_is_refused(
    root: Path, do: Callable[[Path, HMChoice], object]
) -> None:
    """If this fails, figures are off by four digits and nothing says so."""
    choice = HMChoice(target="AA", values="0-10000")
    with pytest.raises(DataError, match=r"HM_2020_AA_1000\.tiff and the other years reach 0\.\d+"):
        do(root, choice)


def test_verify_tells_of_each_raster_and_of_the_splits(root: Path) -> None:
    """If this fails, a broken download is found in the middle of a training."""
    plant(root, "hm_static_tas_1000.tiff", 2, 2)
    lines = verify(root, CHOICE, chip_size=4)
    assert lines[0].startswith("32 x 48 pixels of 0.5 x -0.5")
    assert "HM_1995_AA_1000.tiff: 0.05 to 0.43375, 0.0% missing" in lines
    tas = next(line for line in lines if "tas" in line)
    assert tas.startswith("hm_static_tas_1000.tiff: 10 to 10.38")
    assert tas.endswith("0.1% missing")  # 1 of 1536
    assert any(line.startswith("calibration: 4 blocks of 8 pixels") for line in lines)
    assert lines[-1] == "no pixel is shared between train, val, test, calibration"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda r: plant(r, "HM_2005_AA_1000.tiff", 20, 40, 1.5), r"HM_2005_AA.*1\.5 at .*outside"),
        (lambda r: (r / "HM_2005_AA_1000.tiff").unlink(), "no raster of AA 2005"),
        (
            lambda r: write_year(r, "BU", 1990, np.full(SHAPE, NODATA), nodata=NODATA),
            r"HM_1990_BU_1000\.tiff has no data at all",
        ),
        (
            lambda r: write_tif(r / "hm_static_pr_1000.tiff", index_of(1990)[:, :9]),
            r"hm_static_pr_1000\.tiff and .* differ in size",
        ),
    ],
)
def test_verify_refuses_what_cannot_be_used(
    root: Path, spoil: Callable[[Path], object], message: str
) -> None:
    """If this fails, what is verified fails later."""
    spoil(root)
    with pytest.raises(DataError, match=message):
        verify(root, CHOICE, chip_size=4)


def test_commands_make_a_folder_ready(root: Path) -> None:
    """If this fails, the README's commands do not work."""
    which = ("--root", root, "--version", "direct", "--dynamic", "AG", "--static", "tas")
    said = call("split", *which, "--chip-size", 4, "--buffer", 1, "--block-size", 8)
    assert "24 of 24 blocks used" in said
    said = call("statistics", *which)
    assert "AA: mean 0." in said
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
    """If this fails, a typo prints a traceback."""
    with pytest.raises(SystemExit, match="error: say split, statistics, verify or --miniature"):
        call("--root", root)
    with pytest.raises(SystemExit, match=r"error: .* has no raster of HM 1990"):
        call("verify", "--root", root)
    with pytest.raises(SystemExit, match="is not empty, and what it holds is not marked"):
        call("--root", root, "--miniature")


def test_a_split_by_hand_that_overlaps_is_no_split(root: Path) -> None:
    """If this fails, two splits could share a block; the file gives each block one letter."""
    document = json.loads((root / "split.json").read_text())
    document["blocks"][0] = "1" + document["blocks"][0]
    (root / "split.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="not a whole block split"):
        verify(root, CHOICE, chip_size=4)
