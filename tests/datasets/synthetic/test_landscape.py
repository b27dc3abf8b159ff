"""Synthetic landscape: reproducible, and hard to classify from single pixels."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.datasets.synthetic import landscape
from openstl_ext.datasets.synthetic.settlements import DENSITY, Cover, Scale, cover, smooth
from openstl_ext.statistics import Statistics


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lts")
    landscape.write(path)
    return path


def arrays(root: Path, split: str) -> tuple[NDArray, NDArray]:
    """Return normalised values (N, T * C) of all pixels of a split, 0 for missing, and sites."""
    dataset = LTSSegmentation(root=str(root), split=split, patch_size=32)
    found = Statistics.read(root / "statistics.json", prepare="").groups["frames"]
    mean, std = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (found.mean, found.std))
    seen, target = [], []
    for index in range(len(dataset)):
        item = dataset[index]
        frames = np.nan_to_num((item["inputs"]["frames"].numpy() - mean) / std)
        known = item["data_samples"]["valid"].numpy()
        seen.append(frames.reshape(-1, 32, 32)[:, known].T)
        target.append(item["data_samples"]["labels"].numpy()[known])
    return np.concatenate(seen), np.concatenate(target) > 0


def dice(score: NDArray, target: NDArray) -> float:
    """Compute the best Dice over all thresholds, an upper bound."""
    found = []
    for share in np.linspace(0.5, 8, 40):
        predicted = score > np.percentile(score, 100 - share)
        found.append(2 * (predicted & target).sum() / (predicted.sum() + target.sum()))
    return float(max(found))


def fitted(seen: NDArray, target: NDArray) -> NDArray:
    """Fit a ridge regression with balanced classes; it ranks pixels as a logistic one does."""
    weight = np.where(target, 1 / target.mean(), 1 / (1 - target.mean()))[:, None]
    inputs = np.column_stack([seen, np.ones(len(seen))]).astype(np.float64)
    moments = inputs.T @ (weight * inputs) + np.eye(inputs.shape[1])
    return np.linalg.solve(moments, inputs.T @ (weight[:, 0] * (2.0 * target - 1)))


@pytest.mark.slow
def test_time_series_and_neighbours_are_needed(root: Path) -> None:
    """A regression of pixels would equal nets with spatial and temporal context."""
    train, test = arrays(root, "train"), arrays(root, "test")
    scores = {}
    for name, part in {"last year": slice(-4, None), "all years": slice(None)}.items():
        weights = fitted(train[0][:, part], train[1])
        scores[name] = dice(test[0][:, part] @ weights[:-1], test[1])
    assert 0.1 < scores["last year"] < scores["all years"] - 0.1
    assert scores["all years"] < 0.7


def test_there_are_enough_patches_and_enough_sites(root: Path) -> None:
    """Scores on the miniature would be random."""
    sizes = {}
    for split in ("train", "val", "test"):
        dataset = LTSSegmentation(root=str(root), split=split, patch_size=32)
        sizes[split] = len(dataset)
        sites = [int(dataset[i]["data_samples"]["labels"].sum() > 0) for i in range(len(dataset))]
        assert 0.2 < np.mean(sites) < 0.9
        assert 0.02 < dataset.missing_share() < 0.2
        assert dataset.metainfo.synthetic
    assert sizes["train"] >= 150
    assert min(sizes.values()) >= 30


@pytest.mark.parametrize("form", ["patches", "geotiff"])
def test_every_format_contains_the_same_landscape(root: Path, form: str) -> None:
    """A real format could not be tried offline."""
    stack, other = (
        LTSSegmentation(root=str(place), split="test", patch_size=32)
        for place in (root, root / form)
    )
    assert len(stack) == len(other)
    for side in ("inputs", "data_samples"):
        for name, field in stack[7][side].items():
            assert field.numpy().tobytes() == other[7][side][name].numpy().tobytes()
    assert other.metainfo == stack.metainfo


def test_the_landscape_depends_on_the_seed_only() -> None:
    """The same command would give two different landscapes."""
    one, two, other = (landscape.draw(size=64, years=(2000, 2001), seed=seed) for seed in (1, 1, 2))
    assert one.stored.tobytes() == two.stored.tobytes() != other.stored.tobytes()
    assert one.label.tobytes() == two.label.tobytes() != other.label.tobytes()


@pytest.fixture(scope="module")
def ground() -> Cover:
    return cover(np.random.default_rng(0), Scale(size=300, num_years=10))


def test_a_site_appears_and_stays(ground: Cover) -> None:
    """The label would not match the images."""
    assert 0.005 < ground.sites.mean() < 0.1
    own = ground.bare[:, ground.sites]
    assert (own[0] == 0).all()
    assert (np.diff(own, axis=0) >= 0).all()
    assert (own[-1] >= 0.5).all()
    others = ground.bare[-1][~ground.sites]
    assert (others > 0.5).sum() > 0.5 * ground.sites.sum(), "nothing is to be confused"
    assert set(DENSITY) == {"site", "field", "rock", "track"}


def test_a_field_is_bare_in_some_years_and_has_crops_in_others(ground: Cover) -> None:
    """A picture would show no fields, or a field in one year could not be taken for a site."""
    field = ground.crops > 0.99
    assert 0.02 < field.mean() < 0.2
    assert not (field & ground.sites).any()
    changes = np.abs(np.diff(ground.bare[:, field], axis=0)) > 0.9
    assert changes.any(axis=0).mean() > 0.95


def test_objects_are_seen_through_the_noise() -> None:
    """A picture of the miniature would be noise to the eye."""
    drawn = landscape.draw(size=128, years=landscape.YEARS, seed=4)
    values = np.where(drawn.stored == landscape.NODATA, np.nan, drawn.stored * landscape.SCALE)
    red = values[-1, landscape.BANDS.index("red")]
    site = drawn.label == 1
    spread = np.nanstd(red[drawn.label == 0])
    assert np.nanmean(red[site]) > np.nanmean(red[drawn.label == 0]) + 2 * spread
    step = np.abs(np.diff(red, axis=1))  # neighbours are alike but at edges
    assert np.nanmedian(step) < 0.25 * spread


def test_smooth_noise_is_smooth_with_unit_standard_deviation() -> None:
    """Terrain would be white noise without spatial structure."""
    field = smooth(np.random.default_rng(0), 128, 8)
    assert (field.mean(), field.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    assert np.abs(np.diff(field, axis=0)).mean() < 0.2
