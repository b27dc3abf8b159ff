import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.evaluator import Evaluator

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.metrics import base
from openstl_ext.metrics.mean_pixel import MeanRMSE
from openstl_ext.metrics.summed_pixel import SummedMSE
from openstl_ext.metrics.tallies import (
    TallyBuffer,
    bootstrap_intervals,
    exact_sum,
    exact_sums,
    merge_shards,
)
from openstl_ext.structures import Sample
from tests.metrics.samples import drawn_samples, evaluated

RNG = np.random.default_rng(0)
# of very different sizes, so that a sum in another order would round differently
TALLIES = np.exp(RNG.normal(0, 3, size=(257, 2, 3)))


def mean(sums: np.ndarray) -> float:
    total, weight = sums.sum(axis=1)
    return total / weight if weight else math.nan


def interval_of_mean(tallies: np.ndarray) -> list[float] | None:
    return bootstrap_intervals(tallies, {"": mean})[""]


def sharded(tallies: np.ndarray, world: int, batch: int) -> list[np.ndarray]:
    """Return the tallies of each rank, gathered batch by batch."""
    empty = np.empty((0, 2, 0))
    shards = []
    for rank in range(world):
        mine = tallies[rank::world]
        batches = [mine[i : i + batch] for i in range(0, len(mine), batch)]
        shards.append(np.concatenate(batches) if batches else empty)
    return shards


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 257), batch=st.integers(1, 17), world=st.integers(1, 8))
def test_any_sharding_gives_the_same_bits(size: int, batch: int, world: int) -> None:
    """More GPUs would change a score in its last digit."""
    tallies = TALLIES[:size]
    merged = merge_shards(sharded(tallies, world, batch), size)
    np.testing.assert_array_equal(merged, tallies)
    np.testing.assert_array_equal(exact_sums(merged), exact_sums(tallies[::-1]))


def test_the_sum_is_exact_in_any_order() -> None:
    """A score would depend on the order of the samples."""
    values = TALLIES.ravel()
    orders = [RNG.permutation(values) for _ in range(9)]
    assert len({order.sum() for order in orders}) > 1  # or the test shows nothing
    assert {exact_sum(order) for order in orders} == {exact_sum(values)}
    assert exact_sum(np.array([1e100, 1.0, -1e100])) == 1.0
    assert math.isnan(exact_sum(np.array([math.inf, -math.inf])))


@pytest.mark.parametrize("world", [2, 3, 8])
def test_every_rank_returns_the_scores_of_all(world: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks would select different checkpoints."""
    samples = drawn_samples(5)
    alone = evaluated(SummedMSE(), samples)
    ranks = [SummedMSE() for _ in range(world)]
    for rank, metric in enumerate(ranks):
        for lone in samples[rank::world]:
            metric.process(None, [lone])
    held = [metric.kept.array() for metric in ranks]
    monkeypatch.setattr(base, "all_gather_object", lambda _: held)
    for metric in ranks:
        assert metric.evaluate(5) == alone
    assert ranks[0].describe() == ranks[-1].describe()


def test_mmengine_returns_scores_under_their_full_names() -> None:
    """The best checkpoint would not be found."""
    evaluator = Evaluator([SummedMSE(), MeanRMSE()])
    samples = drawn_samples(3)
    evaluator.process(data_samples=samples, data_batch={})
    assert set(evaluator.evaluate(3)) == {
        *("mse_sum", "mse_sum@1", "mse_sum@2"),
        *("rmse", "rmse@1", "rmse@2"),
    }


@pytest.mark.parametrize(
    "held",
    [
        [6],  # a sample twice
        [4],  # a sample never
        [3, 3],  # padded to equal shares
        [2, 3],  # the longer share on the wrong rank
        [1, 1, 1, 1, 1, 1],  # padded with fewer samples than ranks
    ],
)
def test_other_than_one_tally_per_sample_is_rejected(held: list[int]) -> None:
    """A duplicate would count twice without a trace."""
    with pytest.raises(ConfigError, match="round_up=False"):
        merge_shards([np.ones((n, 2, 1)) for n in held], size=5)


def test_there_may_be_fewer_samples_than_ranks() -> None:
    """A toy test set could not be evaluated on eight GPUs."""
    shards = [np.ones((1, 2, 3)), np.full((1, 2, 3), 2.0), np.empty((0, 2, 0))]
    assert merge_shards(shards, size=2)[:, 0, 0].tolist() == [1, 2]


def test_samples_of_different_horizons_are_rejected() -> None:
    """A lead would be scored on a part of the test set."""
    with pytest.raises(ShapeError, match=r"\(2,\), \(3,\)"):
        merge_shards([np.ones((1, 2, 2)), np.ones((1, 2, 3))], size=2)


def test_the_overall_score_pools_all_leads() -> None:
    """A mean of means would give leads with gaps too much weight."""
    target = torch.zeros(2, 1, 2, 2)
    forecast = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2)
    valid = torch.ones(2, 1, 2, 2, dtype=torch.bool)
    valid[1, 0, 0, :] = valid[1, 0, 1, 0] = False  # of lead 2 a quarter is left
    lone: Sample = {**drawn_samples(1)[0], "forecast": forecast, "target": target, "valid": valid}
    lone["weight"] = torch.ones(2, 2)
    assert evaluated(SummedMSE(), [lone]) == {
        "mse_sum": pytest.approx((4 * 1 + 1 * 9) / 1.25),
        "mse_sum@1": 4.0,
        "mse_sum@2": 36.0,
    }


def test_an_evaluation_starts_without_earlier_samples() -> None:
    """The second validation would include the first."""
    metric, samples = SummedMSE(), drawn_samples(3)
    first = evaluated(metric, samples)
    assert evaluated(metric, samples) == first
    assert len(metric.kept.array()) == 0


def test_only_floats_are_kept() -> None:
    """Frames of ten thousand samples would fill the memory."""
    metric = SummedMSE()
    metric.process(None, drawn_samples(3, (4, 1, 32, 32)))
    assert metric.kept.array().shape == (3, 2, 4)


def test_samples_of_another_length_are_an_error() -> None:
    """Scores per lead would mix leads of different samples."""
    metric = SummedMSE()
    metric.process(None, drawn_samples(2, (4, 1, 8, 8)))
    with pytest.raises(ShapeError, match=r"same number of leads.* got \[\(4,\), \(3,\)\]"):
        metric.process(None, drawn_samples(1, (3, 1, 8, 8)))


def test_the_interval_is_reproducible_and_narrows_with_more_samples() -> None:
    """Two readings of one run would show different intervals."""
    tallies = np.stack([RNG.normal(5, 1, (400, 1)), np.ones((400, 1))], axis=1)
    low, high = interval_of_mean(tallies) or []
    assert [low, high] == interval_of_mean(tallies)
    assert high - low == pytest.approx(2 * 1.96 / math.sqrt(400), rel=0.2)
    few_low, few_high = interval_of_mean(tallies[:25]) or []
    assert few_high - few_low > 2 * (high - low)


def test_one_sample_or_nan_has_no_interval() -> None:
    """NaN is not valid JSON."""
    assert interval_of_mean(TALLIES[:1]) is None
    broken = TALLIES[:5].copy()
    broken[2, 0, 0] = math.nan
    assert interval_of_mean(broken) is None


def test_the_interval_of_a_root_is_an_interval_of_roots() -> None:
    """An interval in squared units would not contain the score."""
    metric = MeanRMSE()
    value = evaluated(metric, drawn_samples(6))["rmse"]
    low, high = metric.describe()["rmse"]["interval"]
    assert low < value < high


def test_one_scored_sample_has_no_interval() -> None:
    """A score of one sample, beside samples without a valid pixel, would look exactly known."""
    one, empty = np.array([[3.0], [2.0]]), np.zeros((2, 1))
    assert interval_of_mean(np.stack([one, empty])) is None
    assert interval_of_mean(np.stack([empty, one, empty, empty])) is None
    assert interval_of_mean(np.stack([one, one, empty])) == [1.5, 1.5]  # equal, but two
    other = interval_of_mean(np.stack([one, empty, 2 * one + 1]))
    assert other is not None
    assert other[0] < other[1]


@pytest.mark.parametrize("equal", [0, 1, 7, 1024, 2500])
def test_tallies_are_returned_as_they_were_given(equal: int) -> None:
    """A weight that differs late, or a batch that crosses two arrays, would be lost."""
    draw = np.random.default_rng(equal)
    tallies = draw.normal(size=(2500, 3, 2))
    tallies[:, 1] = 5.0
    tallies[:equal, 2] = tallies[0, 2]
    tallies[9, 0, 1] = math.nan
    buffer, start = TallyBuffer(), 0
    while start < len(tallies):
        size = int(draw.integers(0, 700))
        buffer.append(tallies[start : start + size])
        start += size
    np.testing.assert_array_equal(buffer.array(), tallies)
    np.testing.assert_array_equal(buffer.array(), tallies)
    with pytest.raises(ShapeError, match="same number of leads"):
        buffer.append(tallies[:, :, :1])
