"""Paired bootstrap and permutation over blocks of samples."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.comparison.paired import holm, paired_differences
from openstl_ext.errors import DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.mean_pixel import MeanMSE, MeanRMSE
from openstl_ext.metrics.ranking import AveragePrecisionMicro
from openstl_ext.structures import Metainfo


def overall(name: Any) -> bool:
    return name.lead is None and not name.part


def with_weight(totals: np.ndarray, weight: float = 1.0) -> np.ndarray:
    """Return tallies (N, 2, T, 1) of totals (N, T)."""
    totals = totals[..., None]
    return np.stack([totals, np.full_like(totals, weight)], axis=1)


@pytest.mark.parametrize("share", [0.0, 0.8])
def test_equal_models_are_called_different_in_five_percent(share: float) -> None:
    """``share`` of the variance is common to a block: 30 blocks of 5 samples."""
    metric, blocks = MeanMSE(), [str(index // 5) for index in range(150)]
    found = 0
    for draw in range(1000):
        rng = np.random.default_rng([draw, int(10 * share)])
        hardness = rng.lognormal(0, 1, (150, 1))

        def model(rng: np.random.Generator = rng, hardness: np.ndarray = hardness) -> np.ndarray:
            common = np.repeat(rng.normal(size=(30, 1)), 5, axis=0) * share**0.5
            own = rng.normal(size=(150, 1)) * (1 - share) ** 0.5
            return with_weight(hardness * np.exp(0.3 * (common + own)))

        (difference,) = paired_differences(
            metric,
            [(model(), model())],
            blocks,
            names=overall,
            resamples=0,
            permutations=199,
            seed=draw,
        )
        found += difference.p_value <= 0.05
    assert 35 <= found <= 65


def test_dependence_that_is_ignored_calls_equal_models_different() -> None:
    """The block of a sample matters: single samples would be wrong in far more than 5 %."""
    found = 0
    for draw in range(100):
        rng = np.random.default_rng(draw)
        one, other = (with_weight(np.repeat(rng.normal(size=(20, 1)), 8, axis=0)) for _ in "ab")
        (difference,) = paired_differences(
            MeanMSE(),
            [(one, other)],
            list(map(str, range(160))),
            names=overall,
            resamples=0,
            permutations=199,
        )
        found += difference.p_value <= 0.05
    assert found > 30


def test_a_consistent_difference_is_found() -> None:
    rng = np.random.default_rng(0)
    base = rng.lognormal(0, 1, (60, 3))
    better = base * (0.9 + 0.05 * rng.normal(size=base.shape))
    found = paired_differences(
        MeanMSE(), [(with_weight(better), with_weight(base))], list(map(str, range(60)))
    )
    assert [str(d.name) for d in found] == ["mse", "mse@1", "mse@2", "mse@3"]
    for difference in found:
        assert difference.p_value < 0.001
        assert difference.interval is not None
        assert difference.interval[0] < difference.difference < difference.interval[1] < 0
    assert found[0].one == pytest.approx(better.mean())
    assert found[2].other == pytest.approx(base[:, 1].mean())


def test_few_blocks_are_exchanged_in_all_ways() -> None:
    """Four blocks: a difference of one sign has the p-value 2 / 2^4."""
    one = np.array([[1.0], [2.0], [3.0], [4.0]])
    other = one + np.array([[0.1], [0.3], [0.2], [0.4]])
    (difference,) = paired_differences(
        MeanMSE(), [(with_weight(one), with_weight(other))], list("abcd"), names=overall
    )
    assert difference.p_value == 2 / 16
    gaps = np.array([0.1, 0.3, -0.2, 0.4])
    (difference,) = paired_differences(
        MeanMSE(),
        [(with_weight(one), with_weight(one + gaps[:, None]))],
        list("abcd"),
        names=overall,
    )
    signs = itertools.product((-1, 1), repeat=4)
    larger = [abs(np.dot(s, gaps)) >= abs(gaps.sum()) - 1e-12 for s in signs]
    assert difference.p_value == np.mean(larger)


def test_the_interval_is_that_of_the_mean_difference() -> None:
    """Normal differences: 1.96 standard errors on both sides."""
    rng = np.random.default_rng(0)
    base = rng.lognormal(0, 1, (400, 1))
    gaps = rng.normal(0.5, 1, (400, 1))
    (difference,) = paired_differences(
        MeanMSE(),
        [(with_weight(base + gaps), with_weight(base))],
        list(map(str, range(400))),
        names=overall,
        permutations=99,
    )
    half = 1.96 * gaps.std() / 20
    assert difference.interval is not None
    low, high = difference.interval
    assert (low, high) == pytest.approx((gaps.mean() - half, gaps.mean() + half), abs=0.02)


def test_a_score_of_a_root_and_one_of_a_ranking_are_those_of_the_metric() -> None:
    rng = np.random.default_rng(1)
    one, other = (with_weight(rng.lognormal(0, 1, (20, 2)), 4.0) for _ in "ab")
    blocks = list(map(str, range(20)))
    rmse = MeanRMSE()
    (first, *_) = paired_differences(rmse, [(one, other)], blocks, permutations=99)
    assert first.one == rmse.compute_metrics(one)["rmse"]

    ranking = AveragePrecisionMicro()
    ranking.dataset_meta = Metainfo(name="x", channels=(), classes=("a", "b"))
    one, other = (_ranked(ranking, rng, skill) for skill in (2.0, 0.0))
    (found,) = paired_differences(ranking, [(one, other)], blocks, permutations=199)
    assert found.one == ranking.compute_metrics(one)[ranking.name]
    assert found.one > found.other
    assert found.p_value < 0.05


def _ranked(metric: SampleMetric, rng: np.random.Generator, skill: float) -> np.ndarray:
    labels = np.random.default_rng(5).integers(0, 2, (20, 2))
    logits = rng.normal(size=(20, 2)) + skill * labels
    samples = [
        {
            "target": torch.tensor(a),
            "labels": torch.tensor(b > 0.5).long(),
            "valid": torch.ones(2, dtype=torch.bool),
            "probability": torch.tensor(b).sigmoid().float(),
        }
        for a, b in zip(labels, logits, strict=True)
    ]
    metric.process(None, samples)
    metric.evaluate(20)
    return metric.tallies


def test_runs_of_several_seeds_are_averaged() -> None:
    rng = np.random.default_rng(2)
    runs = [with_weight(rng.lognormal(0, 1, (30, 1))) for _ in range(3)]
    baseline = with_weight(np.full((30, 1), 2.0))
    (found,) = paired_differences(
        MeanMSE(),
        [(run, baseline) for run in runs],
        list(map(str, range(30))),
        names=overall,
        permutations=99,
    )
    assert found.one == pytest.approx(np.mean([run[:, 0].mean() for run in runs]))
    assert found.other == 2.0


def test_one_block_cannot_be_compared() -> None:
    tallies = with_weight(np.ones((3, 1)))
    with pytest.raises(DataError, match="3 samples in 1 block cannot be compared"):
        paired_differences(MeanMSE(), [(tallies, tallies)], ["walk"] * 3)


def test_holms_correction() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
