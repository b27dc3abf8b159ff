"""Cutting a series into patches, and statistics of the training blocks."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace as replace_facts

from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.report import count_overlaps, verify
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.lts.statistics import measure
from openstl_ext.datasets.synthetic import landscape
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import Statistics

RECIPE = CutSettings(patch_size=8, stride=5, block_size=24, buffer=3)
SPLITS = ("train", "val", "test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    landscape.write_stack(tmp_path, landscape.draw(size=120, years=(2001, 2003), seed=5))
    return tmp_path


def corners(root: Path) -> dict[str, np.ndarray]:
    return {split: np.load(root / f"{split}_coords.npy") for split in SPLITS}


def painted(root: Path, split: str, margin: int = 0) -> np.ndarray:
    """Return the pixels covered by the patches of a split, with a margin around them."""
    cover = np.zeros((120 + 2 * margin, 120 + 2 * margin), bool)
    for row, column in corners(root)[split]:
        cover[row : row + 8 + 2 * margin, column : column + 8 + 2 * margin] = True
    return cover[margin : margin + 120, margin : margin + 120]


def test_no_pixel_is_shared_and_the_buffer_is_kept(root: Path) -> None:
    """Nets would be tested on pixels that they were trained on."""
    cut(root, root, RECIPE)
    for one, other in combinations(SPLITS, 2):
        assert painted(root, one).any()
        assert not (painted(root, one, margin=3) & painted(root, other)).any()


def test_only_training_patches_overlap_each_other(root: Path) -> None:
    """Test pixels would be counted twice."""
    cut(root, root, RECIPE)
    for split, found in corners(root).items():
        assert (painted(root, split).sum() < 64 * len(found)) == (split == "train")


def test_statistics_are_of_valid_pixels_of_training_blocks(root: Path) -> None:
    """Statistics would include test pixels or clouds."""
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


def test_statistics_are_precise_for_a_large_mean() -> None:
    """Temperatures in kelvin would have a wrong standard deviation."""
    pieces = np.random.default_rng(0).normal(30_000, 1, (50, 2, 1, 40, 40)).astype(np.float32)
    pieces[3:5] = np.nan
    exact = pieces[np.isfinite(pieces)].astype(np.float64)
    found = measure(pieces, ["thermal"])
    assert found.mean == (pytest.approx(exact.mean(), rel=1e-12),)
    assert found.std == (pytest.approx(exact.std(), rel=1e-9),)
    assert found.count == (exact.size,)
    same = "the same value everywhere"
    for values, reason in ((pieces[3:5], "no valid value"), (pieces[:1] * 0, same)):
        with pytest.raises(DataError, match=f"band thermal has {reason}"):
            measure(values, ["thermal"])


def test_only_training_patches_are_balanced_by_default(root: Path) -> None:
    """The share of background in the test set would depend on the training settings."""
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


@pytest.mark.slow
def test_patches_depend_on_the_seed_and_not_on_workers(root: Path, tmp_path: Path) -> None:
    """Two machines would select different patches."""
    settings = replace(RECIPE, negative_ratio=0.3)
    files = ("train_coords.npy", "val_coords.npy", "statistics.json", "blocks.json")
    written = []
    for workers, seed in ((1, 0), (2, 0), (1, 1)):
        cut(root, root, replace(settings, seed=seed), workers=workers)
        written.append([(root / name).read_bytes() for name in files])
    assert written[0] == written[1]
    assert all(one != other for one, other in zip(written[0], written[2], strict=True))


def test_patches_without_known_labels_are_omitted(root: Path) -> None:
    """Batches without any label would have an undefined loss."""
    label = np.load(root / "label.npy")
    label[:60] = 255
    np.save(root / "label.npy", label)
    lines = cut(root, root, RECIPE)
    assert any("without any known label omitted" in line for line in lines)
    for found in corners(root).values():
        assert all((label[r : r + 8, c : c + 8] != 255).any() for r, c in found)
    np.save(root / "label.npy", np.full_like(label, 255))
    with pytest.raises(DataError, match="split train has no patch"):
        cut(root, root, RECIPE)


def test_patches_keep_years_and_the_synthetic_mark(root: Path) -> None:
    """Synthetic patches would pass as real ones."""
    landscape.write_toy(root / "toy")
    settings = CutSettings(patch_size=8, block_size=32, buffer=0)
    cut(root / "toy", root / "patches", settings, form="patches")
    dataset = LTSSegmentation(root=str(root / "patches"), split="test", patch_size=8)
    assert dataset.metainfo.synthetic
    assert dataset.metainfo.years == landscape.YEARS[-4:]
    verify(root / "patches", 8)
    with pytest.raises(DataError, match="contains a series as stack; choose another --root"):
        cut(root / "toy", root / "toy", settings, form="patches")
    with pytest.raises(ConfigError, match="corners must be in the folder of the series"):
        cut(root / "toy", root / "elsewhere", settings)


@pytest.mark.parametrize("form", ["coords", "patches"])
def test_the_newest_years_can_be_cut_alone(root: Path, form: str) -> None:
    """A short series would be normalised with years that are not used."""
    landscape.write_toy(root / "toy")
    place = root / ("toy" if form == "coords" else "patches")
    settings = CutSettings(patch_size=8, block_size=32, buffer=0)
    split = {"root": str(place), "split": "test", "patch_size": 8}
    cut(root / "toy", place, settings, form=form)
    whole = Statistics.read(place / "statistics.json", prepare="")
    lines = cut(root / "toy", place, replace(settings, num_years=2), form=form)
    short = Statistics.read(place / "statistics.json", prepare="")
    assert short.about["taken from"].endswith(
        f"2 years, {landscape.YEARS[-2]}-{landscape.YEARS[-1]}"
    )
    assert short.groups["frames"].mean != whole.groups["frames"].mean
    if form == "coords":
        assert "num_years=2" in lines[-1]
        split["num_years"] = 2
    assert LTSSegmentation(**split).metainfo.years == landscape.YEARS[-2:]
    with pytest.raises(ConfigError, match="num_years is 9, but the series has 4 years"):
        cut(root / "toy", place, replace(settings, num_years=9), form=form)


@pytest.mark.parametrize("form", ["coords", "patches"])
def test_overlapping_splits_are_found(root: Path, form: str) -> None:
    """Edited corners would go unnoticed."""
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
    """A renamed patch would be in training and test."""
    place = root / "patches"
    cut(root, place, RECIPE, form="patches")
    name = (place / "splits/train.txt").read_text().split()[0]
    for folder in ("images", "labels"):
        (place / folder / "mine.npy").write_bytes((place / folder / f"{name}.npy").read_bytes())
    (place / "splits/val.txt").write_text("mine\n")
    with pytest.raises(DataError, match="1 pairs of patches of train and val share pixels"):
        verify(place, 8)


def test_overlaps_are_counted_exactly() -> None:
    """The search by cells would miss neighbours."""
    rng = np.random.default_rng(0)
    one, other = (
        [Window(int(r), int(c), 8, 8) for r, c in rng.integers(0, 90, (60, 2))] for _ in "ab"
    )
    expected = sum(a.meet(b) is not None for a in one for b in other)
    assert count_overlaps(one, other, 8) == expected > 0


@pytest.mark.parametrize(
    "wrong",
    [{"patch_size": 0}, {"stride": 0}, {"buffer": -1}, {"block_size": 0}],
)
def test_sizes_without_patches_are_rejected(root: Path, wrong: dict) -> None:
    """A typing error would cut no patches, or another number of them."""
    with pytest.raises(DataError, match="must be"):
        cut(root, root, replace(RECIPE, **wrong))


@pytest.mark.parametrize("wrong", [{"negative_ratio": -0.1}, {"balance_all_splits": True}])
def test_impossible_ratios_are_rejected(wrong: dict) -> None:
    """A typing error would keep the wrong background patches."""
    with pytest.raises(ConfigError, match="negative_ratio is"):
        CutSettings(**wrong)


def test_metadata_is_kept_by_the_cut(root: Path) -> None:
    """Cutting would lose scale or georeference."""
    before = SeriesFacts.read(root / "stack.json")
    cut(root, root, RECIPE)
    after = SeriesFacts.read(root / "stack.json")
    assert after == replace_facts(before, patch_size=8, buffer=3)
