"""The ensemble forecaster of docs/extending.md: one noise per sample."""

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import openstl_ext
from openstl_ext.interfaces import TOY_SHAPE
from openstl_ext.prediction.forecasting import FramesScene
from openstl_ext.prediction.mapping import map_scene
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.profiling.report import profile
from openstl_ext.registry import METHODS, MODELS
from tests.engine import toy
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.test_extending import FENCED, PAGE
from tests.toys import toy_method

RUNS = ((1, 1), (1, 3), (4, 1), (4, 2), (4, 3))
"""Batch size and number of processes."""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the documented file."""
    path = tmp_path_factory.mktemp("my_lab") / "flow.py"
    path.write_text(dict(FENCED.findall(PAGE.read_text()))["my_lab/flow.py"])
    return path


@pytest.fixture(scope="module")
def flow(plugin: Path) -> Any:
    """Build a toy instance; the registries are left as they were."""
    found = runpy.run_path(str(plugin))
    METHODS.module_dict.pop("EulerFlow")
    MODELS.module_dict.pop("PixelVelocity")
    torch.manual_seed(0)
    return toy_method(found["EulerFlow"], found["PixelVelocity"]).eval()


@pytest.mark.slow
def test_scores_depend_neither_on_batch_size_nor_on_processes(plugin: Path, tmp_path: Path) -> None:
    """The score of a stochastic forecaster would depend on the hardware that evaluates it."""
    frames = {"num_frames": toy.FRAMES, "horizon": toy.FRAMES, "channels": 1}
    net = {"type": "PixelVelocity", **frames}
    model = {"type": "EulerFlow", "net": net, "horizon": toy.FRAMES, "num_members": 3}
    scenarios: dict[Path, list[dict[str, Any]]] = {}
    for size, ranks in RUNS:
        options = {"model": {"_delete_": True, **model}, "test_dataloader.batch_size": size}
        run = {"options": options, "ranks": ranks, "test": True, "plugins": [str(plugin)]}
        scenarios.setdefault(tmp_path / f"batch_{size}", []).append(run)
    for work_dir, codes in run_scenarios(scenarios).items():
        assert not any(map(any, codes)), log_of(work_dir)
    paths = [tmp_path / f"batch_{size}" / f"scores_{ranks}.json" for size, ranks in RUNS]
    scores = [json.loads(path.read_text()) for path in paths]
    assert all(each == scores[0] for each in scores)
    assert float.fromhex(scores[0]["mse"]) > 0


def test_members_depend_on_the_seed_of_their_sample_only(flow: Any) -> None:
    """A sample could not be forecast again without the batch that it was in."""
    inputs = {**flow.toy_batch(3)["inputs"], "seed": torch.tensor([5, 6, 5])}
    inputs["frames"][2] = inputs["frames"][0]
    ensemble = flow.answer(inputs, horizon=2)["ensemble"]
    assert ensemble.shape == (3, 3, 2, *TOY_SHAPE[1:])
    assert torch.equal(ensemble[0], ensemble[2])
    alone = flow.answer({name: value[1:2] for name, value in inputs.items()}, horizon=2)
    torch.testing.assert_close(alone["ensemble"][0], ensemble[1])
    assert (ensemble[0] - ensemble[1]).abs().mean() > 0.1
    assert ensemble[0].std(dim=0).mean() > 0.1


def test_a_prediction_without_targets_has_the_noise_of_its_index(flow: Any) -> None:
    """Predictions would depend on the batch size, or all samples would have the same noise."""
    frames = flow.toy_batch(1)["inputs"]["frames"].repeat(4, 1, 1, 1, 1).numpy()
    predictor = Predictor(flow, device="cpu", seed=1)
    together = torch.from_numpy(predictor({"frames": frames}, 4)["member_1"])
    index = torch.tensor([2]).numpy()
    alone = torch.from_numpy(predictor({"frames": frames[:1], "index": index}, 4)["member_1"])
    torch.testing.assert_close(alone[0], together[2])
    assert (together[1] - together[2]).abs().mean() > 0.1
    other = torch.from_numpy(
        Predictor(flow, device="cpu", seed=2)({"frames": frames}, 4)["member_1"]
    )
    assert (other - together).abs().mean() > 0.1


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_tile_of_a_map_has_the_number_of_its_first_pixel(batch_size: int) -> None:
    """A map of an ensemble would depend on the batch size, or all tiles would have one noise."""
    found: list[int] = []

    def answer(inputs: Any) -> Any:
        found.extend(inputs["index"].tolist())
        return {"forecast": inputs["frames"]}

    scene = FramesScene(torch.zeros(1, 1, 8, 8).numpy())
    tiling = Tiling(height=8, width=8, size=4, overlap=0)
    map_scene(answer, scene, lambda *_: None, tiling=tiling, batch_size=batch_size)
    assert found == [0, 4, 32, 36]


def test_an_ensemble_forecaster_can_be_profiled(flow: Any) -> None:
    """Its row of the table would have no costs."""
    found = profile(flow, {"frames": flow.toy_batch(1)["inputs"]["frames"]}, horizon=4)
    one_pass = 16 * 16 * (9 * 8 + 8 * 4)
    assert found["flops"] == 3 * 2 * one_pass
    assert found["frames_per_second"] > 0


def test_an_array_gets_the_noise_of_each_sample(flow: Any) -> None:
    """Forecasts in a notebook would depend on how the array is split into batches."""
    frames = torch.rand(10, *TOY_SHAPE, generator=torch.Generator().manual_seed(0)).numpy()
    found = openstl_ext.forecast(flow, frames, 2, seed=3)
    assert (found != openstl_ext.forecast(flow, frames, 2, seed=4)).all()
    for index in (0, 9):
        alone = {"frames": frames[[index]], "index": np.array([index])}
        expected = Predictor(flow, device="cpu", seed=3)(alone, 2)["forecast"]
        np.testing.assert_allclose(found[[index]], expected, rtol=1e-4, atol=1e-6)
