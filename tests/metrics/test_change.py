"""Scores of change, and the number of valid pixels."""

import math

import numpy as np
import pytest
import torch

from openstl_ext.metrics.change import ChangeR2
from openstl_ext.metrics.mean_pixel import Bias, MeanMAE, ValidPixels
from tests.metrics.samples import draw, drawn_samples, evaluated, frames, sample


def test_r2_is_the_formula_over_all_valid_pixels() -> None:
    """A mean of R2 over chips is another number, and undefined for chips without change."""
    samples = drawn_samples(3)
    samples[0]["valid"][1, :, :5] = False
    samples[2]["valid"][:, :, :, 4:] = False
    scores = evaluated(ChangeR2(), samples)
    for key, leads in (("r2_change", slice(None)), ("r2_change@1", slice(1)), ("r2_change@2", [1])):
        observed, predicted = [], []
        for s in samples:
            valid = s["valid"][leads]
            observed.append((s["target"] - s["last"])[leads][valid].double().numpy())
            predicted.append((s["forecast"] - s["last"])[leads][valid].double().numpy())
        y, x = np.concatenate(observed), np.concatenate(predicted)
        expected = 1 - ((y - x) ** 2).sum() / ((y - y.mean()) ** 2).sum()
        assert scores[key] == pytest.approx(expected, rel=1e-6)


def test_persistence_explains_no_change() -> None:
    """Persistence would rank beside working models, as with R2 of the values."""
    samples = drawn_samples(4)
    for s in samples:
        s["last"] = draw(*s["last"].shape, seed=7)
        s["target"] = s["last"] + 0.1 + 0.01 * s["target"]
        s["forecast"] = s["last"].expand_as(s["target"])
    assert evaluated(ChangeR2(), samples)["r2_change"] < 0


def test_equal_change_everywhere_has_no_score() -> None:
    """Rounding errors would be divided by rounding errors."""
    still = sample(frames([[0.4, 0.1]]), frames([[0.5, 0.5]]))
    still["last"] = still["target"][0] - 0.1
    assert math.isnan(evaluated(ChangeR2(), [still])["r2_change"])


def test_a_bias_keeps_its_sign() -> None:
    """Too high and too low forecasts could not be distinguished."""
    high = sample(frames([[0.5, 0.9]]), frames([[0.4, 0.7]]))
    assert evaluated(Bias(), [high])["bias"] == pytest.approx(0.15)
    low = sample(high["target"], high["forecast"])
    assert evaluated(Bias(), [low])["bias"] == pytest.approx(-0.15)
    assert evaluated(Bias(), [high, low])["bias"] == pytest.approx(0, abs=1e-7)


def test_valid_pixels_do_not_depend_on_the_forecast() -> None:
    """A mean over ten pixels would look like one over a continent."""
    samples = drawn_samples(3)
    samples[1]["valid"][0, 0, :2] = False
    for s in samples:
        s["valid"][1] = False
        s["forecast"] = s["forecast"] * torch.nan
    metric = ValidPixels()
    scores = evaluated(metric, samples)
    first = 3 * 12 * 13 - 2 * 13
    expected = {"valid_pixels": first, "valid_pixels@1": first, "valid_pixels@2": 0}
    assert scores == expected
    assert metric.describe()["valid_pixels"]["num_valid"] == [first, 0]
    error = MeanMAE()
    evaluated(error, samples)
    assert error.describe()["mae"]["num_valid"] == [first, 0]
