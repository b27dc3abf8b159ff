"""The published files of ST-Mamba, taken over."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.lts.convert import (
    PUBLISHED_YEARS,
    ConversionRecipe,
    convert,
)
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.statistics import Statistics

BANDS = ("blue", "green", "red", "nir")
RECIPE = ConversionRecipe(bands=BANDS, patch_size=8)
STATS = {"mean": np.array([1, 2, 3, 4.0]).reshape(1, 4, 1, 1), "std": [1.0, 2, 3, 4]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The files as they are named upstream; there are no corners of a test."""
    place = tmp_path / "published"
    place.mkdir()
    chance = np.random.default_rng(0)
    stack = chance.normal(size=(34, 4, 20, 24)).astype(np.float32)
    stack[3, 1, 5:9, 5:9] = np.nan
    np.save(place / "landsat_stackV2.npy", stack)
    np.save(place / "labelV2.npy", (chance.random((20, 24)) < 0.1).astype(np.float32))
    np.save(place / "train_coordsV2.npy", np.array([[0, 0], [0, 8], [8, 3]]))
    np.save(place / "val_coordsV2.npy", np.array([[12, 16]]))
    (place / "norm_stats.pkl").write_bytes(pickle.dumps(STATS))
    return place


@pytest.mark.parametrize("beside", [False, True])
def test_the_published_files_become_a_dataset(source: Path, tmp_path: Path, beside: bool) -> None:
    """If this fails, who has the original data cannot use it here."""
    root = source if beside else tmp_path / "ours"
    lines = convert(source, root, RECIPE)
    assert any(line.startswith("test: no corners") for line in lines)
    dataset = LTSSegmentation(root=str(root), split="train", num_years=5, patch_size=8)
    assert dataset.metainfo.years == (2020, 2021, 2022, 2023, 2024)
    assert not dataset.metainfo.synthetic
    stack, label = np.load(source / "landsat_stackV2.npy"), np.load(source / "labelV2.npy")
    item = dataset[2]
    np.testing.assert_array_equal(item["inputs"]["frames"], stack[-5:, :, 8:16, 3:11])
    np.testing.assert_array_equal(item["data_samples"]["labels"], label[8:16, 3:11])
    full = LTSSegmentation(root=str(root), split="train", patch_size=8)
    assert full.metainfo.years == PUBLISHED_YEARS
    assert 2012 not in PUBLISHED_YEARS
    assert not full[0]["inputs"]["valid"].all()
    found = Statistics.read(root / "statistics.json", prepare="").of("frames", BANDS, path="")
    assert (found.mean, found.std) == ((1, 2, 3, 4), (1, 2, 3, 4))
    assert (source / "landsat_stackV2.npy").is_file()
    convert(source, root, RECIPE)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (STATS, "pkl"),
        ({"means": [1.0, 2, 3, 4], "stds": [1.0, 2, 3, 4]}, "pkl"),
        (([1.0, 2, 3, 4], [1.0, 2, 3, 4]), "pkl"),
        (STATS, "npz"),
    ],
)
def test_statistics_come_in_several_shapes(source: Path, content: Any, kind: str) -> None:
    """If this fails, a pair of lists is no pair of lists."""
    (source / "norm_stats.pkl").unlink()
    if kind == "npz":
        np.savez(source / "norm_stats.npz", **content)
    else:
        (source / "norm_stats.pkl").write_bytes(pickle.dumps(content))
    assert f"statistics.json: from norm_stats.{kind}" in convert(source, source, RECIPE)
    read = Statistics.read(source / "statistics.json", prepare="")
    assert read.groups["frames"].mean == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"mean": [1.0, 2, 3], "std": [1.0, 2, 3]}, "3 numbers for mean, and 4 bands"),
        ({"mean": [1.0] * 4}, r"holds \['mean'\], and no std"),
        ({"mean": [1.0] * 4, "std": [0.0] * 4}, "make no scale"),
        ({"mean": ["a"] * 4, "std": [1.0] * 4}, "its mean are no numbers"),
        ("mean", "holds a str, not mean and std"),
    ],
)
def test_statistics_that_do_not_fit_are_named(source: Path, content: Any, message: str) -> None:
    """If this fails, every image is divided by a number of another band."""
    (source / "norm_stats.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=rf"norm_stats\.pkl: .*{message}"):
        convert(source, source, RECIPE)


def test_what_the_files_do_not_say_must_be_said(source: Path, tmp_path: Path) -> None:
    """If this fails, bands are named by guess, and years are counted through the gap."""
    with pytest.raises(ConfigError, match="--bands blue green red nir"):
        convert(source, tmp_path, replace(RECIPE, bands=()))
    with pytest.raises(DataError, match=r"landsat_stackV2\.npy: shape \(34, 4, 20, 24\), but 35"):
        convert(source, tmp_path, replace(RECIPE, years=tuple(range(1990, 2025))))
    with pytest.raises(DataError, match=r"train_coordsV2\.npy: corner 2, \[8, 3\], leaves"):
        convert(source, tmp_path, replace(RECIPE, patch_size=16))
    (source / "labelV2.npy").unlink()
    with pytest.raises(DataError, match=r"has no labelV2\.npy"):
        convert(source, tmp_path, RECIPE)


def test_a_label_that_is_no_class_is_an_error_not_a_negative(source: Path, tmp_path: Path) -> None:
    """If this fails, a damaged label is empty ground, as upstream counts it."""
    label = np.load(source / "labelV2.npy")
    label[17, 3] = np.nan
    np.save(source / "labelV2.npy", label)
    with pytest.raises(DataError, match=r"labelV2\.npy: .* holds NaN"):
        convert(source, tmp_path, RECIPE)


def test_statistics_follow_the_values_when_these_are_scaled(source: Path, tmp_path: Path) -> None:
    """If this fails, who gives --scale trains on frames that are a constant, and sees no error."""
    stack = np.load(source / "landsat_stackV2.npy").astype(np.float64)
    mean, std = (f(stack, axis=(0, 2, 3)) for f in (np.nanmean, np.nanstd))
    np.savez(source / "norm_stats.npz", mean=mean, std=std)
    (source / "norm_stats.pkl").unlink()
    convert(source, tmp_path, replace(RECIPE, scale=0.01))
    values = 0.01 * stack
    found = Statistics.read(tmp_path / "statistics.json", prepare="").of("frames", BANDS, path="")
    np.testing.assert_allclose(found.mean, np.nanmean(values, axis=(0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(found.std, np.nanstd(values, axis=(0, 2, 3)), rtol=1e-9)
    frames = LTSSegmentation(root=str(tmp_path), split="train", patch_size=8)[0]["inputs"][
        "frames"
    ].numpy()
    np.testing.assert_allclose(frames, values[:, :, :8, :8], rtol=1e-5)


@pytest.mark.parametrize("damaged", ["labelV2.npy", "val_coordsV2.npy", "norm_stats.pkl"])
def test_files_that_make_no_sense_leave_no_half_dataset(
    source: Path, tmp_path: Path, damaged: str
) -> None:
    """If this fails, a stack without its splits waits for whoever looks there next."""
    (source / damaged).write_bytes(b"not this")
    with pytest.raises(DataError, match=damaged.replace(".", r"\.")):
        convert(source, tmp_path / "ours", RECIPE)
    assert not (tmp_path / "ours").exists()
