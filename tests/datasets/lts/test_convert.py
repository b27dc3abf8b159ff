"""Conversion of the published files of ST-Mamba."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.lts.convert import (
    PUBLISHED_YEARS,
    ConversionSettings,
    convert,
)
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.statistics import Statistics

BANDS = ("blue", "green", "red", "nir")
RECIPE = ConversionSettings(bands=BANDS, patch_size=8)
STATS = {"mean": np.array([1, 2, 3, 4.0]).reshape(1, 4, 1, 1), "std": [1.0, 2, 3, 4]}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write files with upstream's names, without test corners."""
    place = tmp_path / "published"
    place.mkdir()
    rng = np.random.default_rng(0)
    stack = rng.normal(size=(34, 4, 20, 24)).astype(np.float32)
    stack[3, 1, 5:9, 5:9] = np.nan
    np.save(place / "landsat_stackV2.npy", stack)
    np.save(place / "labelV2.npy", (rng.random((20, 24)) < 0.1).astype(np.float32))
    np.save(place / "train_coordsV2.npy", np.array([[0, 0], [0, 8], [8, 3]]))
    np.save(place / "val_coordsV2.npy", np.array([[12, 16]]))
    (place / "norm_stats.pkl").write_bytes(pickle.dumps(STATS))
    return place


@pytest.mark.parametrize("beside", [False, True])
def test_the_published_files_become_a_dataset(source: Path, tmp_path: Path, beside: bool) -> None:
    """The original data could not be used."""
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
def test_statistics_are_read_in_several_forms(source: Path, content: Any, kind: str) -> None:
    """Statistics stored as lists or as npz could not be read."""
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
        ({"mean": [1.0, 2, 3], "std": [1.0, 2, 3]}, "3 numbers for mean, but there are 4 bands"),
        ({"mean": [1.0] * 4}, r"0 numbers for std, .* has \['mean'\]"),
        ("mean", r"0 numbers for mean, .* has \[\]"),
    ],
)
def test_statistics_that_do_not_match_are_rejected(
    source: Path, content: Any, message: str
) -> None:
    """Bands would be normalised with numbers of others."""
    (source / "norm_stats.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=rf"norm_stats\.pkl: .*{message}"):
        convert(source, source, RECIPE)


def test_metadata_that_the_files_lack_is_required(source: Path, tmp_path: Path) -> None:
    """Bands and years would be guessed."""
    with pytest.raises(ConfigError, match="--bands blue green red nir"):
        convert(source, tmp_path, replace(RECIPE, bands=()))
    with pytest.raises(
        DataError, match=r"landsat_stackV2\.npy: shape is \(34, 4, 20, 24\), expected \(35"
    ):
        convert(source, tmp_path, replace(RECIPE, years=tuple(range(1990, 2025))))
    with pytest.raises(DataError, match=r"train_coordsV2\.npy: corner 2 is \[8, 3\]"):
        convert(source, tmp_path, replace(RECIPE, patch_size=16))
    (source / "labelV2.npy").unlink()
    with pytest.raises(DataError, match=r"label\.npy: not a readable array"):
        convert(source, tmp_path, RECIPE)


def test_an_invalid_label_is_an_error(source: Path, tmp_path: Path) -> None:
    """Invalid labels would be background, as upstream."""
    label = np.load(source / "labelV2.npy")
    label[17, 3] = np.nan
    np.save(source / "labelV2.npy", label)
    with pytest.raises(DataError, match=r"labelV2\.npy: .* has NaN"):
        convert(source, tmp_path, RECIPE)


def test_statistics_are_scaled_with_the_values(source: Path, tmp_path: Path) -> None:
    """With --scale, normalised frames would be constant."""
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
def test_damaged_files_leave_no_incomplete_dataset(
    source: Path, tmp_path: Path, damaged: str
) -> None:
    """A dataset without splits would be left behind."""
    (source / damaged).write_bytes(b"not this")
    with pytest.raises(DataError, match=damaged.replace(".", r"\.")):
        convert(source, tmp_path / "ours", RECIPE)
    assert not (tmp_path / "ours").exists()
