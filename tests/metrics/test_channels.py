"""Scores of channels, area weights, and mistakes of a metric."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.decibel import PSNR
from openstl_ext.metrics.interval import IntervalCoverage
from openstl_ext.metrics.mean_pixel import Bias, MeanMAE, MeanMSE, MeanRMSE, ValidPixels
from openstl_ext.metrics.overlap import Dice
from openstl_ext.metrics.summed_pixel import SummedMSE
from openstl_ext.structures import Channel, Metainfo, Sample
from tests.metrics.samples import drawn_samples, evaluated, sample

KELVIN = (Channel("t2m", "K"), Channel("sst", "K"))
MIXED = (Channel("t2m", "K"), Channel("z", "m", 500))


def of_channels(metric: SampleMetric, channels: tuple[Channel, ...]) -> SampleMetric:
    metric.dataset_meta = Metainfo(name="weather", channels=channels)
    return metric


def two_channels() -> Sample:
    """Return one sample of two leads, two channels and 1 x 2 pixels, written out."""
    error = torch.tensor([[[[1.0, 1.0]], [[2.0, 4.0]]], [[[3.0, 3.0]], [[0.0, 2.0]]]])
    valid = torch.ones_like(error, dtype=torch.bool)
    valid[1, 1, 0, 0] = False
    return sample(error, torch.zeros_like(error), valid)


def test_each_channel_and_lead_has_a_score() -> None:
    """A table would show the score of a channel under the name of another."""
    scores = evaluated(of_channels(MeanMSE(), KELVIN), [two_channels()])
    assert scores == pytest.approx(
        {
            "mse": (1 + 1 + 4 + 16 + 9 + 9 + 4) / 7,
            "mse@1": (1 + 1 + 4 + 16) / 4,
            "mse@2": (9 + 9 + 4) / 3,
            "mse[t2m]": (1 + 1 + 9 + 9) / 4,
            "mse[sst]": (4 + 16 + 4) / 3,
            "mse[t2m]@1": 1.0,
            "mse[t2m]@2": 9.0,
            "mse[sst]@1": 10.0,
            "mse[sst]@2": 4.0,
        }
    )


def test_a_root_of_a_channel_is_that_of_its_mean_square() -> None:
    """The score would be a mean of roots, which is smaller."""
    scores = evaluated(of_channels(MeanRMSE(), KELVIN), [two_channels()])
    assert scores["rmse[sst]"] == pytest.approx(math.sqrt(8))


def test_channels_of_different_units_are_not_pooled() -> None:
    """A mean of kelvins and metres would depend on the choice of units."""
    metric = of_channels(MeanMAE(), MIXED)
    scores = evaluated(metric, [two_channels(), two_channels()])
    assert math.isnan(scores["mae"])
    assert math.isnan(scores["mae@1"])
    assert scores["mae[t2m]"] == pytest.approx(2.0)
    assert scores["mae[z500]@2"] == pytest.approx(2.0)
    facts = metric.describe()["mae"]
    assert facts["units"] == {"t2m": "K", "z500": "m"}
    assert facts["interval"] is None
    assert set(facts["intervals"]) == {"t2m", "z500"}
    for pooling in (SummedMSE(), PSNR()):
        scores = evaluated(of_channels(pooling, MIXED), [two_channels()])
        assert all(math.isnan(value) for value in scores.values())
    count = evaluated(of_channels(ValidPixels(), MIXED), [two_channels()])
    assert (count["valid_pixels"], count["valid_pixels[z500]"]) == (7, 3)


@pytest.mark.parametrize(
    ("metric", "unit", "expected"),
    [
        (MeanMSE(), "K", "K^2"),
        (MeanMSE(), "m s-1", "(m s-1)^2"),
        (MeanMSE(), "1", "1"),
        (SummedMSE(), "K", "K^2 per frame"),
        (SummedMSE(), "1", "1 per frame"),
        (MeanMAE(), "m s-1", "m s-1"),
        (PSNR(), "K", "dB"),
    ],
)
def test_a_score_has_the_unit_of_the_data(metric: SampleMetric, unit: str, expected: str) -> None:
    """Scores could not be compared with those of a paper."""
    described = of_channels(metric, (Channel("a", unit),)).describe()[metric.name]
    assert described["unit"] == expected


def test_other_channels_than_those_of_the_dataset_are_rejected() -> None:
    """Scores would stand under the names of other channels."""
    for channels in ((*KELVIN, Channel("u10")), KELVIN[:1]):
        metric = of_channels(MeanMSE(), channels)
        with pytest.raises(ShapeError, match="a target has 2 channels, but metainfo"):
            evaluated(metric, [two_channels()])


def test_pixels_count_by_their_area() -> None:
    """On a grid in degrees the poles would count as much as the tropics."""
    lone = two_channels()
    lone["weight"] = torch.tensor([[3.0, 1.0]])
    scores = evaluated(of_channels(MeanMSE(), KELVIN), [lone])
    assert scores["mse[sst]@1"] == pytest.approx((3 * 4 + 16) / 4)
    assert scores["mse[sst]"] == pytest.approx((3 * 4 + 16 + 4) / 5)
    assert evaluated(Bias(), [lone])["bias@1"] == pytest.approx((3 + 1 + 3 * 2 + 4) / 8)
    summed = evaluated(SummedMSE(), [lone])
    assert summed["mse_sum@1"] == pytest.approx((3 * 1 + 1 + 3 * 4 + 16) / 2)  # mean weight 2
    assert evaluated(ValidPixels(), [lone])["valid_pixels"] == 7  # a count, not an area


@pytest.mark.parametrize("metric", [MeanMSE(), SummedMSE(), PSNR(), Bias()])
def test_a_common_factor_of_all_areas_changes_no_mean(metric: SampleMetric) -> None:
    """Areas in km2 and areas relative to their mean would give different scores."""
    samples = drawn_samples(3)
    plain = evaluated(metric, samples)
    for each in samples:
        each["weight"] = torch.full_like(each["weight"], 4.0)
    assert evaluated(metric, samples) == pytest.approx(plain, rel=1e-6)


def test_num_valid_counts_pixels_and_not_areas() -> None:
    """The number of observations behind a score would be wrong."""
    lone = two_channels()
    lone["weight"] = torch.tensor([[3.0, 1.0]])
    metric = MeanMAE()
    evaluated(metric, [lone])
    assert metric.describe()["mae"]["num_valid"] == [4, 3]


class Plain(SampleMetric):
    """Metric of a plugin."""

    name, unit, higher_is_better = "plain", "1", True

    def measure(self, sample: Sample) -> Tally:
        value = sample["forecast"].mean(dim=(1, 2, 3))
        return Tally(total=value, weight=torch.ones_like(value))


def flat(sample: Sample) -> Tensor:
    return sample["forecast"].flatten(1).mean(dim=1).mean()[None]


@pytest.mark.parametrize("missing", ["name", "unit", "higher_is_better"])
def test_a_metric_without_an_attribute_is_rejected_when_built(missing: str) -> None:
    """Without a direction the table would rank the worst model first."""
    kept = {k: v for k, v in vars(Plain).items() if k not in (missing, "__dict__", "__weakref__")}
    broken: Any = type("Broken", (SampleMetric,), kept)
    with pytest.raises(ConfigError, match=f"metric Broken has no {missing}"):
        broken()


def test_a_tally_of_the_wrong_shape_is_rejected_at_the_first_batch() -> None:
    """One number for all leads would be shown as the score of the first."""

    class OneNumber(Plain):
        def measure(self, sample: Sample) -> Tally:
            return Tally(total=flat(sample), weight=flat(sample))

    with pytest.raises(ShapeError, match=r"OneNumber.measure returns a tally of shape \(1,\)"):
        OneNumber().process(None, drawn_samples(1))
    Plain().process(None, drawn_samples(1))


def test_a_metric_of_fields_that_are_not_predicted_is_rejected_or_has_no_score() -> None:
    """A baseline would have a coverage of 0, or a Dice of frames would fail after the training."""
    scores = evaluated(IntervalCoverage(), [two_channels()])
    assert all(math.isnan(value) for value in scores.values())
    with pytest.raises(ConfigError, match="Dice needs labels, which the method does not predict"):
        Dice(classes=["a", "b"]).process(None, [two_channels()])
