"""Cutting: which patches there are, and what is measured on them."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.report import count_overlaps, verify
from openstl_ext.datasets.lts.split import CutRecipe, cut
from openstl_ext.datasets.lts.statistics import measure
from openstl_ext.datasets.synthetic import landscape
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import Statistics

RECIPE = CutRecipe(patch_size=8, stride=5, block_size=24, buffer=3)
SPLITS = ("train", "val", "test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    landscape.write_stack(tmp_path, landscape.draw(size=120, years=(2001, 2003), seed=5))
    return tmp_path


def corners(root: Path) -> dict[str, np.ndarray]:
    return {split: np.load(root / f"{split}_coords.npy") for split in SPLITS}


def painted(root: Path, split: str, margin: int = 0) -> np.ndarray:
    """Which pixels the patches of a split cover, and those around them."""
    cover = np.zeros((120 + 2 * margin, 120 + 2 * margin), bool)
    for row, column in corners(root)[split]:
        cover[row : row + 8 + 2 * margin, column : column + 8 + 2 * margin] = True
    return cover[margin : margin + 120, margin : margin + 120]


def test_no_pixel_is_shared_and_a_buffer_lies_between(root: Path) -> None:
    """If this fails, a score on the test is a memory test."""
    cut(root, root, RECIPE)
    for one, other in combinations(SPLITS, 2):
        assert painted(root, one).any()
        assert not (painted(root, one, margin=3) & painted(root, other)).any()


def test_only_training_patches_overlap_each_other(root: Path) -> None:
    """If this fails, some pixels of the test count twice."""
    cut(root, root, RECIPE)
    for split, found in corners(root).items():
        assert (painted(root, split).sum() < 64 * len(found)) == (split == "train")


def test_statistics_are_of_valid_pixels_of_training_blocks(root: Path) -> None:
    """If this fails, the test has told the net how bright it is, or clouds are part of the mean."""
    cut(root, root, RECIPE)
    stack = np.load(root / "landsat_stack.npy").astype(np.float64)
    own = BlockSplit.read(root / "blocks.json").mask("train", Window(0, 0, 120, 120))
    written = json.loads((root / "statistics.json").read_text())["frames"]
    assert 0.4 < own.mean() < 0.9
    for band, name in enumerate(written["names"]):
        values = stack[:, band][:, own]
        values = values[values != -9999] * 1e-4
        assert written["mean"][band] == pytest.approx(values.mean(), rel=1e-6), name
        assert written["std"][band] == pytest.approx(values.std(), rel=1e-6), name
        assert written["count"][band] == values.size


def test_a_large_mean_costs_no_digits() -> None:
    """If this fails, brightness temperatures in kelvin have a spread of zero, or of noise."""
    pieces = np.random.default_rng(0).normal(30_000, 1, (50, 2, 1, 40, 40)).astype(np.float32)
    pieces[3:5] = np.nan
    exact = pieces[np.isfinite(pieces)].astype(np.float64)
    found = measure(pieces, ["thermal"])
    assert found.mean == (pytest.approx(exact.mean(), rel=1e-12),)
    assert found.std == (pytest.approx(exact.std(), rel=1e-9),)
    assert found.count == (exact.size,)
    for values, what in ((pieces[3:5], "no valid value"), (pieces[:1] * 0, "one value everywhere")):
        with pytest.raises(DataError, match=f"band thermal has {what}"):
            measure(values, ["thermal"])


def test_balance_leaves_val_and_test_alone_unless_asked(root: Path) -> None:
    """If this fails, the judged share of background is that of the training recipe."""
    label = (np.random.default_rng(0).random((120, 120)) < 0.006).astype(np.uint8)
    np.save(root / "label.npy", label)
    cut(root, root, RECIPE)
    all_of_it = corners(root)

    def with_site(found: np.ndarray) -> list[bool]:
        return [(label[r : r + 8, c : c + 8] == 1).any() for r, c in found]

    for everywhere in (False, True):
        cut(root, root, replace(RECIPE, negative_ratio=0.5, balance_all_splits=everywhere))
        for split, found in corners(root).items():
            positive, before = sum(with_site(found)), sum(with_site(all_of_it[split]))
            assert positive == before
            if split == "train" or everywhere:
                assert len(found) - positive == min(
                    round(0.5 * positive), len(all_of_it[split]) - before
                )
                kept = [tuple(pair) for pair in found.tolist()]
                known = [tuple(pair) for pair in all_of_it[split].tolist()]
                assert kept == [pair for pair in known if pair in set(kept)], "their order changed"
            else:
                np.testing.assert_array_equal(found, all_of_it[split])


def test_seed_decides_and_workers_do_not(root: Path, tmp_path: Path) -> None:
    """If this fails, no two machines balance alike, as in the original."""
    recipe = replace(RECIPE, negative_ratio=0.3)
    files = ("train_coords.npy", "val_coords.npy", "statistics.json", "blocks.json")
    written = []
    for workers, seed in ((1, 0), (2, 0), (1, 1)):
        cut(root, root, replace(recipe, seed=seed), workers=workers)
        written.append([(root / name).read_bytes() for name in files])
    assert written[0] == written[1]
    assert all(one != other for one, other in zip(written[0], written[2], strict=True))


def test_ground_that_nobody_looked_at_is_left_out(root: Path) -> None:
    """If this fails, patches without truth make batches whose loss is of nothing."""
    label = np.load(root / "label.npy")
    label[:60] = 255
    np.save(root / "label.npy", label)
    lines = cut(root, root, RECIPE)
    assert any("without any known label left out" in line for line in lines)
    for found in corners(root).values():
        assert all((label[r : r + 8, c : c + 8] != 255).any() for r, c in found)
    np.save(root / "label.npy", np.full_like(label, 255))
    with pytest.raises(DataError, match="no patch of train is left"):
        cut(root, root, RECIPE)


def test_patches_carry_the_mark_and_what_they_need(root: Path) -> None:
    """If this fails, patches of a made-up landscape pass for the real one, or name no years."""
    landscape.write_toy(root / "toy")
    recipe = CutRecipe(patch_size=8, block_size=32, buffer=0)
    cut(root / "toy", root / "patches", recipe, form="patches")
    dataset = LTSSegmentation(root=str(root / "patches"), split="test", patch_size=8)
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.years == landscape.YEARS[-4:]
    verify(root / "patches", 8)
    with pytest.raises(DataError, match="holds a series as stack; choose another --root"):
        cut(root / "toy", root / "toy", recipe, form="patches")
    with pytest.raises(ConfigError, match="corners lie beside the series"):
        cut(root / "toy", root / "elsewhere", recipe)


@pytest.mark.parametrize("form", ["coords", "patches"])
def test_the_newest_years_can_be_cut_alone(root: Path, form: str) -> None:
    """If this fails, a short series is normalised by years that nobody shows the net."""
    landscape.write_toy(root / "toy")
    place = root / ("toy" if form == "coords" else "patches")
    recipe = CutRecipe(patch_size=8, block_size=32, buffer=0)
    split = {"root": str(place), "split": "test", "patch_size": 8}
    cut(root / "toy", place, recipe, form=form)
    whole = Statistics.read(place / "statistics.json", prepare="")
    told = cut(root / "toy", place, replace(recipe, num_years=2), form=form)
    short = Statistics.read(place / "statistics.json", prepare="")
    assert short.about["taken from"].endswith(
        f"2 years, {landscape.YEARS[-2]}-{landscape.YEARS[-1]}"
    )
    assert short.groups["frames"].mean != whole.groups["frames"].mean
    if form == "coords":
        assert "num_years=2" in told[-1]
        split["num_years"] = 2
    assert LTSSegmentation(**split).metainfo.years == landscape.YEARS[-2:]
    with pytest.raises(ConfigError, match="num_years 9 of a series of 4 years"):
        cut(root / "toy", place, replace(recipe, num_years=9), form=form)


@pytest.mark.parametrize("form", ["coords", "patches"])
def test_splits_that_overlap_are_found(root: Path, form: str) -> None:
    """If this fails, corners that somebody edited go unnoticed."""
    place = root if form == "coords" else root / "patches"
    cut(root, place, RECIPE, form=form)
    lines = verify(place, 8)
    assert lines[-1] == "no pixel is shared between train, val, test"
    assert lines[0].startswith("2 years 2001-2003 without 2002; bands blue, green, red, nir")
    assert all("of the observations are missing" in line for line in lines[1:4])
    if form == "coords":
        found = corners(root)
        near = np.concatenate([found["test"], found["train"][:1] + np.array([1, 0])])
        np.save(root / "test_coords.npy", near)
    else:
        name = (place / "splits/train.txt").read_text().split()[0]
        with (place / "splits/test.txt").open("a") as file:
            file.write(f"{name}\n")
    with pytest.raises(DataError, match="of train and test share pixels"):
        verify(place, 8)


def test_copies_under_other_names_are_found(root: Path) -> None:
    """If this fails, a patch that was renamed is trained and tested on."""
    place = root / "patches"
    cut(root, place, RECIPE, form="patches")
    name = (place / "splits/train.txt").read_text().split()[0]
    for folder in ("images", "labels"):
        (place / folder / "mine.npy").write_bytes((place / folder / f"{name}.npy").read_bytes())
    (place / "splits/val.txt").write_text("mine\n")
    with pytest.raises(DataError, match="1 pairs of patches of train and val share pixels"):
        verify(place, 8)


def test_overlaps_are_counted_as_by_hand() -> None:
    """If this fails, the search by cells misses a neighbour."""
    chance = np.random.default_rng(0)
    one, other = (
        [Window(int(r), int(c), 8, 8) for r, c in chance.integers(0, 90, (60, 2))] for _ in "ab"
    )
    expected = sum(a.meet(b) is not None for a in one for b in other)
    assert count_overlaps(one, other, 8) == expected > 0


@pytest.mark.parametrize(
    "wrong",
    [{"patch_size": 0}, {"stride": 0}, {"buffer": -1}, {"negative_ratio": -0.1}],
)
def test_recipes_that_mean_nothing_are_refused(wrong: dict) -> None:
    """If this fails, a typo cuts no patches, or all of them."""
    with pytest.raises(ConfigError):
        CutRecipe(**wrong)
    with pytest.raises(ConfigError, match="needs a negative ratio"):
        CutRecipe(balance_all_splits=True)


def test_facts_survive_the_cut(root: Path) -> None:
    """If this fails, cutting a series forgets its scale or its place on earth."""
    before = SeriesFacts.read(root / "stack.json")
    cut(root, root, RECIPE)
    after = SeriesFacts.read(root / "stack.json")
    assert after == replace(before, patch_size=8, buffer=3)
