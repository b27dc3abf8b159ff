"""Rules for every registered metric."""

import math

import pytest
import torch

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.registry import METRICS
from tests.metrics.samples import NEED_FILES, built, drawn_samples, evaluated, sample
from tests.second_device import moved, second_device

METRICS.import_from_location()
NAMES = sorted(
    name
    for name, cls in METRICS.module_dict.items()
    if issubclass(cls, SampleMetric)
    and cls.__module__.startswith("openstl_ext.")
    and "forecast" in cls.requires
    and not {"quantiles", "ensemble"} & set(cls.requires)
    and name not in NEED_FILES
)
NEEDS_WHOLE_MAPS = ("LogSpectralDistance", "SpectralPowerRatio")
"""Metrics that leave out a map with a gap, of which each coefficient depends on all pixels."""
IDEAL = {"FrequencyBias": 1.0, "SpectralPowerRatio": 1.0}
"""Best value of a score without direction, where it is not 0."""
SCORES = {
    *("mse_sum", "mae_sum", "rmse_sum", "mse", "mae", "rmse"),
    *("psnr", "snr", "ssim", "ssim_openstl", "ssim_simvp_minimal"),
    *("bias", "r2_change"),
}


def test_every_score_name_is_registered_once() -> None:
    """Two metrics of one name would overwrite each other in a record."""
    names = [METRICS.get(name).name for name in NAMES]
    assert len(names) == len(set(names))
    assert set(names) >= SCORES


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_forecast_has_the_best_score(name: str) -> None:
    """A table would rank models in reverse order."""
    metric = built(name)
    near = drawn_samples(4)
    perfect = [sample(s["target"], s["target"]) for s in near]
    best, worse = (evaluated(metric, s)[metric.name] for s in (perfect, near))
    assert math.isfinite(best)
    if metric.higher_is_better is None:  # such as a bias, which is best at 0
        ideal = IDEAL.get(name, 0.0)
        assert abs(best - ideal) < abs(worse - ideal)
    else:
        assert best > worse if metric.higher_is_better else best < worse


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_order_or_batch_size(name: str) -> None:
    """Scores would depend on the loader."""
    metric, samples = built(name), drawn_samples(7)
    whole = evaluated(metric, samples, batch_size=7)
    all_parts = [key for key in whole if "[" not in key]
    assert all_parts == [metric.name, f"{metric.name}@1", f"{metric.name}@2"]
    assert evaluated(metric, samples, batch_size=1) == whole
    assert evaluated(metric, samples[::-1], batch_size=2) == whole


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["forecast", "target"])
def test_invalid_pixels_have_no_effect(name: str, side: str) -> None:
    """NaN or -9999 in gaps would change scores."""
    metric, (whole,) = built(name), drawn_samples(1, (2, 2, 24, 24))
    gaps = torch.zeros_like(whole["valid"])
    gaps[0, :, 3:5, 20:] = True
    scores = []
    for filler in (0.5, -9999.0, math.nan, math.inf):
        filled = {**whole, "valid": ~gaps}
        filled[side] = torch.where(gaps, filler, whole[side])
        scores.append(evaluated(metric, [filled]))
    if name in NEEDS_WHOLE_MAPS:
        scores[0] = {key: value for key, value in scores[0].items() if not key.endswith("@1")}
        assert scores[0]
    assert all(math.isfinite(value) for value in scores[0].values())
    for other in scores[1:]:
        found = {key: other[key] for key in scores[0]}
        assert found == pytest.approx(scores[0], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_nan_in_a_forecast_reaches_the_score(name: str) -> None:
    """A net with NaN would be scored on its other pixels."""
    metric, samples = built(name), drawn_samples(2, (2, 1, 24, 24))
    samples[1]["forecast"][1, 0, 12, 12] = math.nan
    scores = evaluated(metric, samples)
    assert math.isnan(scores[metric.name])
    assert math.isnan(scores[f"{metric.name}@2"])
    assert math.isfinite(scores[f"{metric.name}@1"])


@pytest.mark.parametrize("name", NAMES)
def test_a_lead_without_targets_has_no_score_and_no_weight(name: str) -> None:
    """A lead without observations would look like a perfect forecast."""
    metric, samples = built(name), drawn_samples(2)
    alone = evaluated(metric, [sample(s["forecast"][:1], s["target"][:1]) for s in samples])
    for s in samples:
        s["valid"][1] = False
    scores = evaluated(metric, samples)
    assert math.isnan(scores[f"{metric.name}@2"])
    assert scores[metric.name] == scores[f"{metric.name}@1"] == alone[metric.name]
    assert metric.describe()[metric.name]["num_unscored_frames"] == 2


@pytest.mark.parametrize("name", NAMES)
def test_scores_do_not_depend_on_the_number_of_threads(name: str) -> None:
    """Scores under torchrun, with one thread per rank, would differ."""
    metric = built(name)
    large = drawn_samples(4, (1, 3, 128, 200))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = evaluated(metric, large)
        torch.set_num_threads(3)
        together = evaluated(metric, large)
    finally:
        torch.set_num_threads(threads)
    assert alone == together


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_describes_its_scores(name: str) -> None:
    """A table would have no unit, direction or interval."""
    metric = built(name)
    before = metric.describe()[metric.name]
    assert before["unit"]
    assert before["convention"]
    score = evaluated(metric, drawn_samples(5))[metric.name]
    facts = metric.describe()[metric.name]
    low, high = facts["interval"]
    assert low <= score <= high
    assert low < high
    assert (facts["num_samples"], facts["leads"]) == (5, 2)
    assert "\n" not in facts["convention"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_same_on_a_gpu(name: str) -> None:
    """Scores of runs on CPUs and GPUs would not be comparable."""
    samples = drawn_samples(3, (3, 3, 24, 20))
    samples[1]["valid"][0, :, :4, :] = False
    moved = [{field: value.cuda() for field, value in s.items()} for s in samples]
    here, there = evaluated(built(name), samples), evaluated(built(name), moved)
    assert there == pytest.approx(here, abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_the_same_on_another_device(name: str) -> None:
    """A test on a GPU would end with tensors on two devices."""
    samples = drawn_samples(3, (3, 3, 24, 20))
    samples[1]["valid"][0, :, :4, :] = False
    here = evaluated(built(name), samples)
    with second_device():
        there = evaluated(built(name), moved(samples))
    assert there == pytest.approx(here, abs=1e-6, rel=1e-6)
