"""Scores equal those of scoringrules and pysteps; see golden/make_records.py."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext.json_file import read_json
from openstl_ext.metrics.spectrum import radial_spectrum
from openstl_ext.registry import METRICS
from tests.metrics.samples import evaluated, sample

SCORES = read_json(Path(__file__).parent / "golden/other_packages.json", dict)["scores"]
CONFIGS: tuple[dict[str, Any], ...] = (
    {"type": "CRPS"},
    {"type": "FairCRPS"},
    {"type": "EnergyScore"},
    {"type": "CRPSQuantiles"},
    *({"type": name, "threshold": 0.6} for name in ("CSI", "POD", "FAR", "FrequencyBias")),
    {"type": "FractionsSkillScore", "threshold": 0.6, "window": 5},
)


@pytest.fixture(scope="module")
def given() -> Any:
    """Return the sample of the record."""
    rng = np.random.default_rng(0)
    target = rng.random((24, 24)).astype(np.float32)
    ensemble = (target + rng.normal(0, 0.3, (6, 24, 24))).astype(np.float32)
    levels = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    quantiles = np.quantile(ensemble, levels, axis=0).astype(np.float32)
    truth, members, chosen = (torch.from_numpy(a) for a in (target, ensemble, quantiles))
    made: Any = sample(members[:1, None], truth[None, None])
    made |= {"ensemble": members[:, None, None], "quantiles": chosen[:, None, None]}
    return {**made, "quantile_levels": torch.from_numpy(levels)}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config["type"])
def test_a_score_equals_that_of_the_other_package(config: dict[str, Any], given: Any) -> None:
    metric = METRICS.build(config)
    assert evaluated(metric, [given])[metric.name] == pytest.approx(SCORES[metric.name], abs=1e-6)


def test_the_rank_histogram_and_the_spectrum_equal_those_of_pysteps(given: Any) -> None:
    scores = evaluated(METRICS.build({"type": "RankHistogram"}), [given])
    shares = [scores[f"rank_histogram[{k}]"] for k in range(7)]
    assert shares == pytest.approx(SCORES["rank_histogram"], abs=1e-6)
    spectrum = radial_spectrum(given["target"][0, 0].double())
    known = SCORES["spectrum"]
    np.testing.assert_allclose(spectrum[: len(known)], known, rtol=1e-6)
