"""Weights of the rows of a regular grid of latitudes."""

import math
from typing import Any

import pytest
import torch

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.area import AreaMetric, latitude_weights
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.mean_pixel import MeanMSE
from openstl_ext.registry import METRICS
from tests.metrics.samples import built, climatology, draw, drawn_samples, evaluated

METRICS.import_from_location()
WEIGHTED = sorted(name for name, cls in METRICS.module_dict.items() if issubclass(cls, AreaMetric))
ENDS = (70.0, -20.0)


def given() -> list[Any]:
    """Return samples with members and quantiles."""
    samples: list[Any] = drawn_samples(3)
    for index, s in enumerate(samples):
        s["ensemble"] = s["forecast"] + draw(4, *s["target"].shape, seed=70 + index) - 0.5
        s["quantiles"] = s["ensemble"].sort(dim=0).values[1:3]
        s["quantile_levels"] = torch.tensor([0.3, 0.7])
    return samples


def test_rows_have_the_cosine_of_their_latitude_over_its_mean() -> None:
    found = latitude_weights(3, 60, -60)
    assert found.tolist() == pytest.approx([0.75, 1.5, 0.75])  # 0.5, 1, 0.5 over 2 / 3
    assert latitude_weights(2, 90, 0).tolist() == pytest.approx([0, 2])


def test_an_error_near_the_pole_counts_less() -> None:
    (one,) = drawn_samples(1, (1, 1, 3, 4))
    one["forecast"] = one["target"] + torch.tensor([3.0, 1.0, 3.0]).view(1, 1, 3, 1)
    score = evaluated(MeanMSE(latitudes=(60, -60)), [one])["mse"]
    assert score == pytest.approx((9 * 0.5 + 1 + 9 * 0.5) / 2, rel=1e-6)


@pytest.mark.parametrize("name", WEIGHTED)
def test_latitudes_are_the_weights_of_a_dataset(name: str) -> None:
    """Both ways to state the area must give one score, and the record must state it."""
    plain = built(name)
    weighted = type(plain)(**arguments(plain), latitudes=ENDS)
    samples = given()
    unweighted, found = evaluated(plain, samples), evaluated(weighted, samples)
    rows = latitude_weights(12, *ENDS).float()
    for s in samples:
        s["weight"] = rows[:, None].expand(12, 13)
    expected = evaluated(plain, samples)
    assert found == pytest.approx(expected, rel=1e-6)
    assert found != unweighted
    assert "70 to -20 degrees" in weighted.convention()


def arguments(metric: SampleMetric) -> dict[str, Any]:
    """Return the arguments without a default."""
    if hasattr(metric, "threshold"):
        return {"threshold": metric.threshold}
    return {"climatology": str(climatology())} if metric.name == "acc" else {}


@pytest.mark.parametrize("ends", [(91.0, 0.0), (10.0, 10.0), (math.nan, 0.0)])
def test_impossible_latitudes_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="latitude"):
        MeanMSE(latitudes=ends)
