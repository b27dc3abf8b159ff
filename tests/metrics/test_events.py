"""Scores of events, and the fractions skill score."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.metrics.contingency import CSI, FAR, POD, EventMetric, FrequencyBias
from openstl_ext.metrics.fractions_skill import FractionsSkillScore, neighbourhood_share
from tests.metrics.samples import drawn_samples, evaluated, frames, sample


def test_the_contingency_table_by_hand() -> None:
    """Two hits, one miss, three false alarms; the value of the threshold is an event."""
    target = frames([[5.0, 7.0, 6.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    forecast = frames([[5.0, 9.0, 1.0], [6.0, 5.0, 8.0], [1.0, 1.0, 1.0]])
    samples = [sample(forecast, target)]
    expected = {CSI: 2 / 6, POD: 2 / 3, FAR: 3 / 5, FrequencyBias: 5 / 3}
    for kind, value in expected.items():
        metric = kind(threshold=5)
        scores = evaluated(metric, samples)
        assert scores[metric.name] == pytest.approx(value)
        assert metric.name == f"{kind.name}_5"


def test_counts_are_pooled_and_not_averaged_over_samples() -> None:
    one = sample(frames([[1.0, 1.0]]), frames([[1.0, 0.0]]))
    other = sample(frames([[0.0, 0.0]]), frames([[1.0, 1.0]]))
    assert evaluated(CSI(threshold=1), [one, other])["csi_1"] == pytest.approx(1 / 4)


def test_a_threshold_outside_the_data_has_no_score_and_a_warning() -> None:
    metric = CSI(threshold=300)
    scores = evaluated(metric, drawn_samples(3))
    assert math.isnan(scores["csi_300"])
    with pytest.warns(UserWarning, match="no target of the 3 test samples reaches the threshold"):
        facts = metric.describe()["csi_300"]
    assert facts["num_samples_with_event"] == 0
    inside = CSI(threshold=0.5)
    evaluated(inside, drawn_samples(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert inside.describe()["csi_0.5"]["num_samples_with_event"] == 3


def test_a_threshold_below_the_data_has_a_warning() -> None:
    """An index of 1 would look like a perfect forecast."""
    metric = CSI(threshold=-1)
    assert evaluated(metric, drawn_samples(3))["csi_-1"] == 1
    with pytest.warns(UserWarning, match="every target of the 3 test samples reaches"):
        assert metric.describe()["csi_-1"]["num_samples_with_other_pixels"] == 0


def test_the_fractions_skill_score_has_the_same_warning() -> None:
    metric = FractionsSkillScore(threshold=2, window=3)
    rain = [sample(one["forecast"] + 2, one["target"]) for one in drawn_samples(2)]
    assert math.isnan(evaluated(metric, rain)["fss_2_3"])
    with pytest.warns(UserWarning, match="fss_2_3: no target of the 2 test samples reaches"):
        assert metric.describe()["fss_2_3"]["num_samples_with_event"] == 0


@pytest.mark.parametrize("kind", [CSI, POD, FAR, FrequencyBias])
def test_without_an_observed_event_there_is_no_score(kind: type[EventMetric]) -> None:
    """False alarms alone would give a score to some models and none to others."""
    metric = kind(threshold=1)
    scores = evaluated(metric, [sample(frames([[2.0, 0.0]]), frames([[0.0, 0.0]]))])
    assert math.isnan(scores[metric.name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_value_equal_to_the_threshold_is_an_event(dtype: torch.dtype) -> None:
    """0.7 is not a number of float32; a score would depend on the type of the frames."""
    values = frames([[0.7, 0.6]]).to(dtype)
    for metric in (POD(threshold=0.7), FractionsSkillScore(threshold=0.7, window=1)):
        assert evaluated(metric, [sample(values, values)])[metric.name] == 1
    assert FAR(threshold=0.7).name == "far_0.7"


def test_mistakes_in_arguments_are_one_sentence() -> None:
    for kind in (CSI, FractionsSkillScore):
        with pytest.raises(ConfigError, match="threshold=nan is no number"):
            kind(threshold=math.nan)
    with pytest.raises(ShapeError, match="window=25 covers a frame of 12 x 13 pixels"):
        evaluated(FractionsSkillScore(threshold=0.5, window=25), drawn_samples(1))


def test_neighbourhood_shares_are_those_of_scipy() -> None:
    field = (torch.rand(2, 1, 15, 9, generator=torch.Generator().manual_seed(0)) > 0.6).float()
    for window in (1, 3, 7):
        for index in np.ndindex(2, 1):
            plane = field[index].double().numpy()
            expected = uniform_filter(plane, size=window, mode="constant")
            np.testing.assert_allclose(
                neighbourhood_share(field, window)[index], expected, atol=1e-12
            )


def test_the_fractions_skill_score_of_a_displaced_square() -> None:
    """A displacement of the width of the window costs all, a small one little."""
    target, near, far = (torch.zeros(1, 1, 40, 40) for _ in range(3))
    target[..., 10:14, 10:14] = near[..., 10:14, 11:15] = far[..., 10:14, 26:30] = 1
    scores = [
        evaluated(FractionsSkillScore(threshold=0.5, window=5), [sample(f, target)])["fss_0.5_5"]
        for f in (target, near, far)
    ]
    assert scores[0] == 1
    assert 0.8 < scores[1] < 1
    assert scores[2] == 0
    forecast, observed = (
        uniform_filter(part[0, 0].double().numpy(), 5, mode="constant") for part in (near, target)
    )
    error = np.square(forecast - observed).mean()
    assert scores[1] == pytest.approx(
        1 - error / (np.square(forecast).mean() + np.square(observed).mean()), abs=1e-12
    )


def test_an_even_window_is_refused() -> None:
    with pytest.raises(ConfigError, match="window=4 has no centre"):
        FractionsSkillScore(threshold=1, window=4)
