"""Scores of change, and how many pixels they are of."""

import math

import numpy as np
import pytest
import torch

from openstl_ext.metrics.change import ChangeR2
from openstl_ext.metrics.mean_pixel import Bias, MeanMAE, ValidPixels
from tests.metrics.samples import draw, drawn_samples, evaluated, frames, sample


def test_r2_is_its_textbook_formula_over_all_valid_pixels() -> None:
    """A mean of R2 over chips is another number: chips without change divide by nothing."""
    samples = drawn_samples(3)
    samples[0]["valid"][1, :, :5] = False
    samples[2]["valid"][:, :, :, 4:] = False
    scores = evaluated(ChangeR2(), samples)
    for key, leads in (("r2_change", slice(None)), ("r2_change@1", slice(1)), ("r2_change@2", [1])):
        true, said = [], []
        for s in samples:
            valid = s["valid"][leads]
            true.append((s["target"] - s["last"])[leads][valid].double().numpy())
            said.append((s["forecast"] - s["last"])[leads][valid].double().numpy())
        y, x = np.concatenate(true), np.concatenate(said)
        expected = 1 - ((y - x) ** 2).sum() / ((y - y.mean()) ** 2).sum()
        assert scores[key] == pytest.approx(expected, rel=1e-6)


def test_saying_the_last_frame_again_explains_no_change() -> None:
    """R2 of the values is near 1 for it, and ranks it beside models that work."""
    samples = drawn_samples(4)
    for s in samples:
        s["last"] = draw(*s["last"].shape, seed=7)
        s["target"] = s["last"] + 0.1 + 0.01 * s["target"]
        s["forecast"] = s["last"].expand_as(s["target"])
    assert evaluated(ChangeR2(), samples)["r2_change"] < 0


def test_where_nothing_varies_nothing_is_explained() -> None:
    """0 / 0 is no score, and neither is rounding over rounding."""
    still = sample(frames([[0.4, 0.1]]), frames([[0.5, 0.5]]))
    still["last"] = still["target"][0] - 0.1
    assert math.isnan(evaluated(ChangeR2(), [still])["r2_change"])


def test_a_bias_keeps_its_sign() -> None:
    """Too much growth everywhere and too little are different mistakes."""
    high = sample(frames([[0.5, 0.9]]), frames([[0.4, 0.7]]))
    assert evaluated(Bias(), [high])["bias"] == pytest.approx(0.15)
    low = sample(high["target"], high["forecast"])
    assert evaluated(Bias(), [low])["bias"] == pytest.approx(-0.15)
    assert evaluated(Bias(), [high, low])["bias"] == pytest.approx(0, abs=1e-7)


def test_valid_pixels_are_counted_whatever_is_said_of_them() -> None:
    """A mean over ten pixels must not stand beside one over a continent without a word."""
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
