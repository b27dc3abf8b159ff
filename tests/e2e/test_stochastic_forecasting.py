"""Ensembles of whole runs: their scores by processes, and what they learn."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext import cli
from tests.engine import toy
from tests.engine.resume_scenarios import log_of, run_scenarios

RUNS = ((1, 1), (1, 2), (4, 1), (4, 2))
"""Batch size and number of processes."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flow_matching", "edm", "dropout"])
def test_scores_depend_neither_on_batch_size_nor_on_processes(kind: str, tmp_path: Path) -> None:
    """The score of an ensemble would depend on the hardware that evaluates it."""
    counts = {"in_channels": 1, "num_inputs": toy.FRAMES, "num_targets": toy.FRAMES}
    denoiser = {"type": "DenoisingUNet", **counts, "widths": (4, 4)}
    model: dict[str, Any] = {"type": "FlowForecast", "objective": kind, "net": denoiser}
    if kind == "dropout":
        net = {"type": "ToyNet"}
        model = {"type": "EnsembleForecast", "net": net, "loss": {"type": "L2"}, "dropout": True}
    model |= {"num_members": 3} | ({} if kind == "dropout" else {"num_steps": 2})
    scenarios: dict[Path, list[dict[str, Any]]] = {}
    for size, ranks in RUNS:
        options = {"model": {"_delete_": True, **model}, "test_dataloader.batch_size": size}
        run = {"options": options, "ranks": ranks, "test": True}
        scenarios.setdefault(tmp_path / f"batch_{size}", []).append(run)
    for work_dir, codes in run_scenarios(scenarios).items():
        assert not any(map(any, codes)), log_of(work_dir)
    paths = [tmp_path / f"batch_{size}" / f"scores_{ranks}.json" for size, ranks in RUNS]
    scores = [json.loads(path.read_text()) for path in paths]
    assert all(each == scores[0] for each in scores)
    assert float.fromhex(scores[0]["mse"]) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_flow_matching_beats_one_forecast_of_its_net_where_the_future_branches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe would be an expensive way to forecast the mean."""
    monkeypatch.chdir(tmp_path)
    cli.call(["data", "branching-motion"])
    scores = {}
    for recipe in ("unet", "flow_unet"):
        cli.call(["train", f"branching_motion/{recipe}", "--test", "--quiet"])
        record = Path("work_dirs/branching_motion", recipe, "seed_0/result.json")
        scores[recipe] = json.loads(record.read_text())["metrics"]
    assert scores["flow_unet"]["crps"] < 0.9 * scores["unet"]["crps"]
    assert 0.5 < scores["flow_unet"]["spread_skill"] < 1.5
