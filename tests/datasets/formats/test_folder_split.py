"""Dealing samples out to splits."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats.folder_split import SplitRecipe, create_loaders
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for sample in range(20):
        folder = tmp_path / f"sample_{sample:02d}"
        folder.mkdir()
        for t in range(12):
            (folder / f"{t}.npy").touch()
    return tmp_path


def samples(path: Path, split: str = "train") -> list[list[str]]:
    return json.loads(path.read_text())[split]["samples"]


def numbers(path: Path) -> set[tuple[int, ...]]:
    return {tuple(int(Path(p).stem) for p in sample) for sample in samples(path)}


def test_the_file_has_the_structure_that_simvp_minimal_reads(root: Path) -> None:
    """If this fails, its users cannot take their files along."""
    path, _ = create_loaders(root, SplitRecipe())
    record = json.loads(path.read_text())
    assert list(record) == ["train", "validation", "test", "id"]
    identity = record.pop("id")
    assert path.name == f"{identity}_loaders.json"
    assert identity == hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    assert [record[s]["ratio"] for s in record] == [0.7, 0.15, 0.15]
    assert [len(record[s]["samples"]) for s in record] == [14, 3, 3]
    assert record["train"]["samples"][0][10].endswith("/10.npy")  # as a number, 10 follows 9


def test_every_sample_is_in_one_split_and_none_is_lost(root: Path) -> None:
    """If this fails, a model is judged on what it was trained on."""
    for train, val in ((0.7, 0.15), (0.33, 0.33), (0.525, 0.475), (1, 0), (0, 1), (0, 0)):
        path, _ = create_loaders(root, SplitRecipe(train_ratio=train, val_ratio=val))
        record = json.loads(path.read_text())
        record.pop("id")
        dealt = [Path(s[0]).parent.name for part in record.values() for s in part["samples"]]
        assert sorted(dealt) == sorted(p.name for p in root.iterdir() if p.is_dir())
        assert all(part["samples"] for part in record.values())


def test_the_seed_decides_the_splits(root: Path) -> None:
    """If this fails, two runs of the same command are not comparable."""
    assert create_loaders(root, SplitRecipe())[0] == create_loaders(root, SplitRecipe())[0]
    assert create_loaders(root, SplitRecipe())[0] != create_loaders(root, SplitRecipe(seed=1))[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, range(12)),
        ({"total_length": 5}, range(5)),
        ({"total_length": 5, "sample_start_index": 4}, range(4, 9)),
        ({"sample_start_index": 4}, range(4, 12)),
        ({"total_length": 3, "reverse": True}, (2, 1, 0)),
        ({"init_final_only": True}, (0, 11)),
        ({"init_final_only": True, "total_length": 6, "reverse": True}, (5, 0)),
    ],
)
def test_the_window_is_what_was_asked(root: Path, options: dict, expected: range) -> None:
    """If this fails, a model sees other frames than its user thinks."""
    path, _ = create_loaders(root, SplitRecipe(train_ratio=1, val_ratio=0, **options))
    assert numbers(path) == {tuple(expected)}


def test_a_random_start_stays_within_the_sample_and_varies(root: Path) -> None:
    """If this fails, -1 means the same frames for all, or frames that are not there."""
    recipe = SplitRecipe(train_ratio=1, val_ratio=0, total_length=5, sample_start_index=-1)
    windows = numbers(create_loaders(root, recipe)[0])
    assert len(windows) > 3
    assert all(w == tuple(range(w[0], w[0] + 5)) and w[-1] < 12 for w in windows)


def test_samples_are_drawn_when_fewer_are_wanted(root: Path) -> None:
    """If this fails, a quick trial takes the whole set."""
    path, _ = create_loaders(root, SplitRecipe(train_ratio=1, val_ratio=0, num_samples=6))
    assert len({Path(s[0]).parent for s in samples(path)}) == 6


def test_short_samples_are_left_out_and_named(root: Path) -> None:
    """If this fails, samples vanish without a word."""
    (root / "sample_03/11.npy").unlink()
    recipe = SplitRecipe(train_ratio=1, val_ratio=0, total_length=12)
    path, lines = create_loaders(root, recipe)
    assert len(samples(path)) == 19
    assert any("1 samples are too short" in line and "sample_03" in line for line in lines)
    with pytest.raises(DataError, match="no sample has 13 frames"):
        create_loaders(root, SplitRecipe(total_length=13))


def test_a_missing_frame_is_an_error_that_names_it(root: Path) -> None:
    """If this fails, time jumps in the middle of a sample."""
    (root / "sample_07/5.npy").unlink()
    with pytest.raises(DataError, match=r"sample_07/5\.npy.*sample sample_07.*missing"):
        create_loaders(root, SplitRecipe())


def test_no_folder_and_no_samples_are_said(tmp_path: Path) -> None:
    """If this fails, a typo in a path ends in a traceback."""
    with pytest.raises(DatasetNotFoundError, match="data boiling"):
        create_loaders(tmp_path / "nowhere", SplitRecipe())
    with pytest.raises(DataError, match="no sample folders"):
        create_loaders(tmp_path, SplitRecipe())


@pytest.mark.parametrize(
    "wrong",
    [{"train_ratio": 0.8, "val_ratio": 0.3}, {"val_ratio": -0.1}, {"num_samples": 0}],
)
def test_a_recipe_that_means_nothing_is_refused(wrong: dict) -> None:
    """If this fails, splits overlap or are empty."""
    with pytest.raises(ConfigError):
        SplitRecipe(**wrong)


def test_reading_needs_no_values(root: Path) -> None:
    """The frames of this file are empty files: splitting a terabyte must not read it."""
    assert np.sum([p.stat().st_size for p in root.rglob("*.npy")]) == 0
    create_loaders(root, SplitRecipe())
