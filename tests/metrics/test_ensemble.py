"""Scores of ensembles and of quantiles, against closed forms and plain definitions."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.ensemble import CRPS, EnergyScore, FairCRPS, RankHistogram, SpreadSkill
from openstl_ext.metrics.quantile import CRPSQuantiles, QuantileReliability
from openstl_ext.registry import METRICS
from tests.metrics.samples import draw, drawn_samples, evaluated

ENSEMBLE = ("CRPS", "FairCRPS", "EnergyScore", "SpreadSkill", "RankHistogram")
QUANTILE = ("CRPSQuantiles", "QuantileReliability")
LEVELS = torch.tensor([0.1, 0.5, 0.9])


def ensembles(count: int, members: int = 5, shape: tuple[int, ...] = (2, 1, 6, 7)) -> list[Any]:
    """Return samples with members around the forecast, and three quantiles of them."""
    found: list[Any] = []
    for index, one in enumerate(drawn_samples(count, shape)):
        noise = draw(members, *shape, seed=1000 + index) - 0.5
        ensemble = one["forecast"] + noise
        quantiles = ensemble.quantile(LEVELS, dim=0)
        found.append(
            {**one, "ensemble": ensemble, "quantiles": quantiles, "quantile_levels": LEVELS}
        )
    return found


def plain_crps(members: np.ndarray, target: np.ndarray, *, fair: bool) -> float:
    """Return the definition: all pairs of members."""
    number = len(members)
    error = np.abs(members - target).mean(axis=0)
    pairs = sum(np.abs(a - b) for a, b in itertools.product(members, repeat=2))
    return float((error - pairs / (2 * number * (number - fair))).mean())


@pytest.mark.parametrize("fair", [False, True])
def test_crps_is_that_of_all_pairs(fair: bool) -> None:
    samples = ensembles(3)
    metric = FairCRPS() if fair else CRPS()
    expected = np.mean(
        [
            plain_crps(s["ensemble"].double().numpy(), s["target"].double().numpy(), fair=fair)
            for s in samples
        ]
    )
    assert evaluated(metric, samples)[metric.name] == pytest.approx(expected, abs=1e-6)


def test_crps_of_many_normal_members_is_the_closed_form() -> None:
    """Of N(0, 1) and target y: y (2 F(y) - 1) + 2 f(y) - 1 / sqrt(pi)."""
    members = torch.from_numpy(stats.norm.ppf((np.arange(4000) + 0.5) / 4000)).float()
    (one,) = drawn_samples(1, (1, 1, 1, 1))
    for y in (-1.0, 0.0, 2.5):
        given: Any = {**one, "ensemble": members.view(-1, 1, 1, 1, 1)}
        given["target"] = torch.full((1, 1, 1, 1), y)
        closed = y * (2 * stats.norm.cdf(y) - 1) + 2 * stats.norm.pdf(y) - 1 / math.sqrt(math.pi)
        assert evaluated(CRPS(), [given])["crps"] == pytest.approx(closed, abs=1e-3)


def test_crps_of_a_single_forecast_is_its_absolute_error() -> None:
    samples = drawn_samples(3)
    mae = np.mean([(s["forecast"] - s["target"]).abs().mean().item() for s in samples])
    assert evaluated(CRPS(), samples)["crps"] == pytest.approx(mae, abs=1e-6)


def test_the_energy_score_is_that_of_vectors() -> None:
    samples = ensembles(2)
    expected = []
    for s in samples:
        for lead in range(2):
            members = s["ensemble"][:, lead].flatten(1).double().numpy()
            target = s["target"][lead].flatten().double().numpy()
            error = np.linalg.norm(members - target, axis=1).mean()
            pairs = [np.linalg.norm(a - b) for a in members for b in members]
            expected.append(error - np.mean(pairs) / 2)
    found = evaluated(EnergyScore(), samples)
    assert found["energy_score"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert found["energy_score@1"] == pytest.approx(np.mean(expected[::2]), abs=1e-6)


def test_a_reliable_ensemble_is_flat_and_has_the_spread_of_its_error() -> None:
    generator = torch.Generator().manual_seed(0)
    (one,) = drawn_samples(1, (1, 1, 100, 100))
    drawn = torch.randn(9, 1, 1, 100, 100, generator=generator)
    reliable: Any = {**one, "target": drawn[0], "ensemble": drawn[1:]}
    sure: Any = {**reliable, "ensemble": drawn[1:] / 2}
    scores = evaluated(RankHistogram(), [reliable])
    shares = [scores[f"rank_histogram[{k}]"] for k in range(9)]
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx([1 / 9] * 9, abs=0.015)
    assert scores["rank_histogram"] == pytest.approx(sum(abs(s - 1 / 9) for s in shares))
    assert evaluated(RankHistogram(), [sure])["rank_histogram"] > 0.3
    assert evaluated(SpreadSkill(), [reliable])["spread_skill"] == pytest.approx(1, abs=0.02)
    assert evaluated(SpreadSkill(), [sure])["spread_skill"] < 0.6


def test_a_frame_without_error_counts_in_the_spread() -> None:
    """It would be reported as a frame that does not count."""
    one, other = ensembles(2)
    one["target"] = (64 * one["target"]).round() / 64  # so that the mean of members is exact
    centre = one["target"][None]
    one["ensemble"] = torch.cat([centre - 0.25, centre, centre + 0.25])
    other["ensemble"] = other["ensemble"][:3]
    other["valid"][1] = False
    metric = SpreadSkill()
    scores = evaluated(metric, [one, other])
    spread = other["ensemble"].double().var(dim=0)[0].sum() + 2 * 42 * 0.25**2
    error = (other["ensemble"].double().mean(dim=0) - other["target"]).square()[0].sum()
    assert scores["spread_skill"] == pytest.approx(math.sqrt(4 / 3 * spread / error), rel=1e-6)
    assert metric.describe()["spread_skill"]["num_unscored_frames"] == 1


def test_a_target_that_equals_members_is_divided_among_its_ranks() -> None:
    (one,) = drawn_samples(1, (1, 1, 1, 1))
    ensemble = torch.tensor([0.0, 0.5, 0.5]).view(3, 1, 1, 1, 1)
    given: Any = {**one, "target": torch.full((1, 1, 1, 1), 0.5), "ensemble": ensemble}
    scores = evaluated(RankHistogram(), [given])
    assert [scores[f"rank_histogram[{k}]"] for k in range(4)] == pytest.approx([0, *[1 / 3] * 3])


def test_quantile_scores_by_their_definitions() -> None:
    samples = ensembles(3)
    losses, below = [], []
    for s in samples:
        for level, quantile in zip(LEVELS.tolist(), s["quantiles"], strict=True):
            gap = (s["target"] - quantile).double()
            losses.append(2 * torch.maximum(level * gap, (level - 1) * gap).mean().item())
            below.append((s["target"] <= quantile).double().mean().item())
    found = evaluated(CRPSQuantiles(), samples)
    assert found["crps_quantiles"] == pytest.approx(np.mean(losses), abs=1e-6)
    found = evaluated(QuantileReliability(), samples)
    shares = np.reshape(below, (3, 3)).mean(axis=0)
    assert [found[f"quantile_reliability[{k}]"] for k in range(3)] == pytest.approx(shares)
    assert found["quantile_reliability"] == pytest.approx(np.abs(shares - LEVELS.numpy()).mean())


@pytest.mark.parametrize("name", [*ENSEMBLE, *QUANTILE])
def test_invalid_pixels_have_no_effect_and_nan_reaches_the_score(name: str) -> None:
    metric: SampleMetric = METRICS.build({"type": name})
    (whole,) = ensembles(1)
    gaps = torch.zeros_like(whole["valid"])
    gaps[:, :, 1:3, 2:5] = True
    scores = []
    for filler in (0.5, math.nan, math.inf):
        filled = {**whole, "valid": ~gaps}
        for side in ("forecast", "target", "ensemble", "quantiles"):
            filled[side] = torch.where(gaps, filler, whole[side])
        scores.append(evaluated(metric, [filled])[metric.name])
    assert math.isfinite(scores[0])
    assert scores[1:] == pytest.approx([scores[0]] * 2, rel=1e-6)
    for side in ("ensemble", "quantiles"):
        whole[side][0, 0, 0, 0, 0] = math.nan
    assert math.isnan(evaluated(metric, [whole])[metric.name])


@pytest.mark.parametrize("name", [*ENSEMBLE, *QUANTILE])
def test_scores_do_not_depend_on_order_batch_size_or_shards(name: str) -> None:
    """Two processes measure every second sample each."""
    metric: SampleMetric = METRICS.build({"type": name})
    samples = ensembles(5)
    whole = evaluated(metric, samples, batch_size=5)
    assert evaluated(metric, samples[::-1], batch_size=2) == whole
    assert len(whole) > 1
    interval = metric.describe()[metric.name]["interval"]
    assert interval is None or interval[0] <= whole[metric.name] <= interval[1]


@pytest.mark.parametrize("name", ENSEMBLE)
def test_one_member_is_no_ensemble(name: str) -> None:
    metric: SampleMetric = METRICS.build({"type": name})
    (one,) = ensembles(1, members=1)
    with pytest.raises(DataError, match=f"{name}: an ensemble of 1 has no spread"):
        metric.process(None, [one])


@pytest.mark.parametrize("name", [*ENSEMBLE[1:], *QUANTILE])
def test_a_baseline_without_members_or_quantiles_has_no_score(name: str) -> None:
    metric: SampleMetric = METRICS.build({"type": name})
    assert math.isnan(evaluated(metric, drawn_samples(2))[metric.name])


def test_members_far_from_zero_lose_no_digits() -> None:
    """Pressures in Pa: a sum of sorted members in float32 would be wrong in the third digit."""
    samples = ensembles(2, members=20)
    metric = FairCRPS()
    near = evaluated(metric, samples)["crps_fair"]
    for s in samples:
        for side in ("forecast", "target", "ensemble"):
            s[side] = s[side].double() + 1e5
    assert evaluated(metric, samples)["crps_fair"] == pytest.approx(near, rel=1e-6)


@pytest.mark.parametrize("name", ["RankHistogram", "QuantileReliability"])
def test_ranks_and_levels_have_scores_per_lead(name: str) -> None:
    metric: SampleMetric = METRICS.build({"type": name})
    samples = ensembles(3)
    scores = evaluated(metric, samples)
    facts = metric.describe()[metric.name]
    assert facts["leads"] == 2
    first: list[Any] = []
    for s in samples:
        lead = {k: s[k][:1] for k in ("forecast", "target", "valid")}
        members = {k: s[k][:, :1] for k in ("ensemble", "quantiles")}
        first.append({**s, **lead, **members})
    alone = evaluated(METRICS.build({"type": name}), first)
    for part in ("", "[0]", "[1]", "[2]"):
        assert scores[f"{metric.name}{part}@1"] == alone[f"{metric.name}{part}"]


@pytest.mark.parametrize("name", QUANTILE)
def test_the_record_states_the_levels(name: str) -> None:
    """Scores of other levels would be compared."""
    metric: SampleMetric = METRICS.build({"type": name})
    evaluated(metric, ensembles(2))
    assert metric.describe()[metric.name]["convention"].endswith("Levels 0.1, 0.5, 0.9.")


def test_levels_can_be_stated_so_that_methods_share_a_table() -> None:
    samples = ensembles(2)
    for s in samples:
        s["quantiles"] = torch.cat([s["quantiles"], s["quantiles"][2:] + 1])
        s["quantile_levels"] = torch.tensor([0.1, 0.5, 0.9, 0.99])
    metric = CRPSQuantiles(levels=(0.1, 0.5, 0.9))
    assert evaluated(metric, samples) == evaluated(CRPSQuantiles(), ensembles(2))
    assert evaluated(CRPSQuantiles(), samples) != evaluated(metric, samples)
    with pytest.raises(ConfigError, match=r"predicts the quantiles 0.1, 0.5, 0.9, 0.99, not 0.3"):
        evaluated(QuantileReliability(levels=(0.3,)), samples)
    thirds = [{**s, "quantile_levels": torch.tensor([1 / 3, 0.5, 2 / 3])} for s in ensembles(2)]
    found = evaluated(CRPSQuantiles(levels=(1 / 3, 0.5, 2 / 3)), thirds)
    assert found == evaluated(CRPSQuantiles(), thirds)
    for levels in ((), (0.5, 0.1), (0.0, 0.5), (0.5, 1.0)):
        with pytest.raises(ConfigError, match="ascending numbers between 0 and 1"):
            CRPSQuantiles(levels=levels)
