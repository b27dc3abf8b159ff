"""Margins of conformal intervals from counts of scores."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.calibration import Calibration, ScoreCounts, check_coverage
from openstl_ext.errors import ConfigError, DataError


def margin(scores: np.ndarray, coverage: float = 0.95) -> float | None:
    counts = ScoreCounts(1)
    counts.add(0, scores)
    return counts.margins(coverage)[0]


@pytest.mark.parametrize("size", [19, 20, 100, 5000])
@pytest.mark.parametrize("shift", [-3.0, 0.0, 1e-4, 50.0])
def test_the_margin_is_the_finite_sample_quantile(size: int, shift: float) -> None:
    """The plain quantile of few scores has a coverage below the requested one."""
    scores = np.random.default_rng(0).normal(shift, 0.1, size).astype(np.float32)
    rank = math.ceil((size + 1) * 0.95)
    exact = np.sort(scores)[rank - 1]
    found = margin(scores)
    assert found is not None
    assert exact <= found <= exact + abs(exact) / 2048


def test_ranks_are_counted_without_rounding() -> None:
    """(99 + 1) * 0.07 is 7.000000000000001 in floating point, which would select rank 8."""
    scores = np.arange(1, 100, dtype=np.float32) * 100
    assert math.ceil(100 * 0.07) == 8
    assert margin(scores, 0.07) == pytest.approx(700, rel=1e-3)


def test_too_few_scores_have_no_margin() -> None:
    """A margin for 95 % from 18 pixels would have no basis."""
    assert margin(np.zeros(18)) is None
    assert margin(np.zeros(19)) is not None
    assert margin(np.zeros(0)) is None


def test_a_pixel_without_an_interval_counts_as_not_covered() -> None:
    """A net with NaN in its intervals would get a smaller margin."""
    scores = np.zeros(100)
    scores[:4] = np.nan
    assert margin(scores) is not None
    scores[:6] = np.nan
    assert margin(scores) is None


@pytest.mark.parametrize("world", [2, 3, 8])
def test_counts_of_several_processes_are_those_of_one(world: int) -> None:
    """The margin would depend on the number of GPUs."""
    scores = np.random.default_rng(1).normal(size=(2, 1000)).astype(np.float32)
    reference = ScoreCounts(2)
    shards = [ScoreCounts(2) for _ in range(world)]
    for column in range(2):
        reference.add(column, scores[column])
        for rank, shard in enumerate(shards):
            shard.add(column, scores[column, rank::world])
    summed = ScoreCounts(2)
    summed.counts = np.sum([shard.counts for shard in shards], axis=0)
    np.testing.assert_array_equal(summed.counts, reference.counts)
    assert summed.margins(0.9) == reference.margins(0.9)


@pytest.mark.parametrize("ends", [(-0.5, 0.5), (-4.0, 4.0), (1.0, 1.1)])
def test_exchangeable_data_have_the_requested_coverage(ends: tuple[float, float]) -> None:
    """Intervals that are too narrow, too wide or shifted would not be corrected.

    Over random calibration sets the coverage has a beta distribution of mean k / (n + 1), where k
    is the selected rank.
    """
    rng, size, rounds = np.random.default_rng(2), 500, 200
    lower, upper = ends
    test = rng.normal(size=200_000)
    shares = []
    for _ in range(rounds):
        known = rng.normal(size=size)
        found = margin(np.maximum(lower - known, known - upper))
        assert found is not None
        shares.append(((lower - found <= test) & (test <= upper + found)).mean())
    rank = math.ceil((size + 1) * 0.95)
    mean = rank / (size + 1)
    spread = math.sqrt(mean * (1 - mean) / (size + 2))
    assert 0.95 <= mean <= 0.95 + 1 / (size + 1)
    noise = 4 * math.sqrt(spread**2 / rounds + mean * (1 - mean) / len(test)) + 5e-4
    assert np.mean(shares) == pytest.approx(mean, abs=noise)
    assert np.std(shares) == pytest.approx(spread, rel=0.2)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Maps that are made later would have other margins than the test."""
    written = Calibration(
        coverage=0.95,
        levels=(0.025, 0.975),
        margin=(0.1, None),
        num_valid=(100, 3),
        about={"samples": 4},
        sha256="5f",
        quantile_levels=(0.025, 0.5, 0.975),
    )
    written.write(tmp_path / "calibration.json")
    read = Calibration.read(tmp_path / "calibration.json")
    assert read == written
    assert read.margins[0] == 0.1
    assert math.isnan(read.margins[1])


@pytest.mark.parametrize("content", ["", "[]", json.dumps({"coverage": 0.9}), None])
def test_the_error_of_a_wrong_file_names_the_hook_that_makes_one(
    tmp_path: Path, content: str | None
) -> None:
    """The user would get a traceback without the name of the file."""
    path = tmp_path / "calibration.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"calibration\.json.*ConformalCalibrationHook"):
        Calibration.read(path)


def test_a_share_of_95_is_refused() -> None:
    """A coverage of 9500 % would be accepted."""
    with pytest.raises(ConfigError, match=r"as in 0\.95"):
        check_coverage(95, (0.025, 0.975))


def test_a_coverage_other_than_that_of_the_interval_is_refused(tmp_path: Path) -> None:
    """The ends of a map would be read as quantiles that they are not."""
    for coverage, levels in ((0.95, (0.05, 0.95)), (0.9, (0.025, 0.975)), (0.5, (0.75, 0.25))):
        with pytest.raises(ConfigError, match=f"coverage is {coverage:g}, but the interval"):
            check_coverage(coverage, levels)
        path = tmp_path / "calibration.json"
        Calibration(coverage=coverage, levels=levels, margin=(0.1,), num_valid=(9,)).write(path)
        with pytest.raises(DataError, match=r"calibration\.json: coverage is"):
            Calibration.read(path)
    assert check_coverage(0.9, (0.05, 0.95)) == 0.9


def test_a_calibration_of_other_weights_is_kept(tmp_path: Path) -> None:
    """Maps of the best checkpoint would lose their margins to a test of another one."""
    path = tmp_path / "calibration.json"
    facts = {"coverage": 0.9, "levels": (0.05, 0.95), "margin": (0.1,), "num_valid": (9,)}
    one, other = (Calibration(**facts, sha256=letter * 64) for letter in "ab")
    assert one.place(path) == path
    one.write(path)
    assert one.place(path) == path
    assert other.place(path) == tmp_path / "calibration_bbbbbbbb.json"
