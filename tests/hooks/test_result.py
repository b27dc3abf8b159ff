"""The record of a test run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import Dataset

from openstl_ext.atomic_io import sha256_of
from openstl_ext.engine.checkpoint import Entry, save
from openstl_ext.engine.runner import build
from openstl_ext.errors import CheckpointError, ConfigError, UserError
from openstl_ext.hooks.result import ResultHook, metrics_file, scores_array, selection_of
from openstl_ext.metrics.learned import LPIPS
from openstl_ext.models.simvp import SimVP
from openstl_ext.registry import DATASETS
from openstl_ext.results.record import Record
from openstl_ext.structures import Channel, Metainfo
from tests.quick_timing import CALLS, QUICK_TIMING, SECONDS


class Ramp(Dataset):
    """Frames that grow by one."""

    metainfo = Metainfo(name="ramp", channels=(Channel("x"),), synthetic=True)

    def __init__(
        self,
        *,
        split: str = "test",
        root: str = "here",
        length: int = 3,
        horizon: int = 2,
        side: int = 4,
    ) -> None:
        self.length, self.horizon, self.side = length, horizon, side

    def __len__(self) -> int:
        return self.length

    def sample_id(self, index: int) -> str:
        return f"sample_{index}"

    def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
        ramp = (index + torch.arange(2.0 * self.horizon)).view(-1, 1, 1, 1)
        inputs, targets = ramp.expand(-1, 1, self.side, self.side).clone().split(self.horizon)
        return {"inputs": {"frames": inputs}, "data_samples": {"frames": targets}}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Record]:
    """Test a net that repeats the last frame, and return its record."""
    monkeypatch.setitem(DATASETS.module_dict, "Ramp", Ramp)
    monkeypatch.setattr(*QUICK_TIMING)

    def test(dataset: dict[str, Any] | None = None, **blocks: Any) -> Record:
        cfg = Config(
            {
                "model": {
                    "type": "DirectForecast",
                    "net": {"type": "Persistence"},
                    "loss": {"type": "L2"},
                },
                "test_dataloader": {
                    "batch_size": 2,
                    "dataset": {"type": "Ramp", **(dataset or {})},
                },
                "test_evaluator": [{"type": "MeanMSE"}],
                "custom_hooks": [{"type": "ResultHook"}],
                "work_dir": str(tmp_path),
                "identity": "ramp/persistence",
                "source": {"name": "Persistence", "claimed": {"mse": 2.0}},
                "overrides": ["model.x=1"],
                "seed": 4,
                "log_level": "ERROR",
                **blocks,
            }
        )
        build(cfg, train=False).test()
        found = tmp_path.glob("result*.json")
        return Record.read(max(found, key=lambda path: path.stat().st_mtime_ns))

    return test


def test_the_record_has_all_facts_of_the_table(run):
    """Facts that are not in the record are lost after the run."""
    record = run()
    assert (record.config, record.name, record.seed) == ("ramp/persistence", "Persistence", 4)
    assert (record.method, record.model) == ("DirectForecast", "Persistence")
    assert record.metrics["mse"] == pytest.approx((1 + 4) / 2)
    assert set(record.metrics) == {"mse", "mse@1", "mse@2"}
    assert record.about["mse"]["higher_is_better"] is False
    assert record.overrides == ["model.x=1"]
    assert record.claimed == {"mse": 2.0}
    assert record.synthetic
    assert record.checkpoint is None
    assert record.protocol["size"] == 3
    assert record.protocol["shapes"]["data_samples.frames"] == [2, 1, 4, 4]
    assert record.num_parameters == 0
    assert record.frames_per_second is not None
    assert record.frames_per_second["value"] == 2 / SECONDS
    assert record.frames_per_second["batch_size"] == 1
    assert record.latency is not None
    assert (record.latency["value"], record.latency["calls"]) == (SECONDS, CALLS)
    assert record.training_time is None
    assert record.peak_memory is not None
    assert {"torch", "python", "platform", "device"} <= set(record.environment)
    assert record.date.endswith("Z")


def test_the_protocol_depends_on_the_data_and_not_on_their_folder(run):
    """Toy data in another folder would be ranked with the real data."""
    here = run().protocol["fingerprint"]
    assert run({"root": "/elsewhere"}).protocol["fingerprint"] == here
    assert run({"length": 2}).protocol["fingerprint"] != here


def test_the_tested_weights_are_recorded_with_their_checksum(run, tmp_path: Path):
    """A score could not be traced to its weights."""
    entry = Entry(file="best_epoch_4.pth", epoch=4, iteration=50, kind="best")
    path = save({"state_dict": {}}, tmp_path, entry, keep=2)
    listed = json.loads((path.parent / "manifest.json").read_text())["checkpoints"][0]
    assert run(load_from=str(path)).checkpoint == {
        "file": "best_epoch_4.pth",
        "sha256": listed["sha256"],
        "epoch": 4,
        "iteration": 50,
    }


def test_joined_runs_are_recorded_with_all_their_checkpoints(run, tmp_path: Path):
    """Ensembles that share their first member would be one row, of the weights of that member."""
    net = {"type": "SimVP", **SimVP.toy_arguments()}
    model = {"type": "EnsembleForecast", "net": net, "loss": {"type": "L2"}, "num_members": 2}
    files = []
    for number in range(3):
        torch.manual_seed(number)
        trained = SimVP(**SimVP.toy_arguments()).state_dict()
        state = {"state_dict": {f"net.{name}": value for name, value in trained.items()}}
        files.append(tmp_path / f"member_{number}.pth")
        torch.save(state, files[-1])

    def joined(*numbers: int, model: dict[str, Any] = model) -> Record:
        loads = [
            {"type": "PretrainedHook", "checkpoint": str(files[number]), "part": part}
            for number, part in zip(numbers, ("net", "others.0"), strict=True)
        ]
        return run(
            {"horizon": 4, "side": 16},
            model=model,
            custom_hooks=[*loads, {"type": "ResultHook"}],
            test_evaluator=[{"type": "CRPS"}],
        )

    records = [joined(0, 1), joined(0, 2), joined(1, 0)]
    checkpoints: list[Any] = [record.checkpoint for record in records]
    digests = [sha256_of(file) for file in files]
    assert checkpoints[0]["file"] == "member_0.pth + member_1.pth"
    assert checkpoints[0]["parts"] == [
        {"part": "net", "file": "member_0.pth", "sha256": digests[0]},
        {"part": "others.0", "file": "member_1.pth", "sha256": digests[1]},
    ]
    assert len({record.sha256 for record in records} | set(digests)) == 6
    assert len(list(tmp_path.glob("result*.json"))) == 3  # none has replaced another
    assert records[0].metrics["crps"] != records[1].metrics["crps"]
    assert records[0].metrics["crps"] == pytest.approx(records[2].metrics["crps"], rel=1e-6)
    with pytest.raises(ConfigError, match=r"no checkpoint is loaded into 'others\.1' of"):
        joined(0, 1, model={**model, "num_members": 3})
    with pytest.raises(ConfigError, match=r"member_0\.pth is loaded into several parts"):
        joined(0, 0)


@pytest.mark.parametrize("name", ["mean", "std"])
def test_a_member_of_another_normalisation_is_refused(run, tmp_path: Path, name: str):
    """Its forecasts would be in another unit than those of the others."""
    net = {"type": "SimVP", **SimVP.toy_arguments()}
    scaling = {"type": "SequencePreprocessor", "mean": [0.5], "std": [2.0]}
    weights = {f"net.{key}": v for key, v in SimVP(**SimVP.toy_arguments()).state_dict().items()}

    def test(**changes: Any) -> Record:
        file = tmp_path / "member.pth"
        trained = {"net": net, "data_preprocessor": {**scaling, **changes}}
        torch.save({"state_dict": weights, "meta": {"config": {"model": trained}}}, file)
        hook = {"type": "PretrainedHook", "checkpoint": str(file)}
        return run(
            {"horizon": 4, "side": 16},
            model={
                **{"type": "DirectForecast", "net": net, "loss": {"type": "L2"}},
                "data_preprocessor": {**scaling, "mean": 0.5},
            },
            custom_hooks=[hook, {"type": "ResultHook"}],
        )

    assert test().checkpoint is not None
    with pytest.raises(CheckpointError, match=rf"with {name}=0\.7 of the data_preprocessor"):
        test(**{name: 0.7})


def test_what_a_metric_lacks_is_found_before_the_first_sample(run, monkeypatch):
    """A training would end with an error at its first validation."""
    monkeypatch.setitem(sys.modules, "lpips", None)
    monkeypatch.setattr(LPIPS, "process", None)
    with pytest.raises(UserError, match="pip install lpips torchvision"):
        run(test_evaluator=[{"type": "LPIPS"}])


def test_the_seed_is_that_of_the_training(run, tmp_path: Path):
    """Three tests of one training with other seeds would pass for three runs."""
    entry = Entry(file="best_epoch_1.pth", epoch=1, iteration=1, kind="best")
    state = {"state_dict": {}, "meta": {"plan": {"seed": 9}}}
    path = save(state, tmp_path, entry, keep=2)
    assert run(load_from=str(path)).seed == 9


def test_a_failed_profile_does_not_lose_the_scores(run, monkeypatch: pytest.MonkeyPatch):
    """An operator that cannot be traced would lose hours of testing."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("cannot trace")

    monkeypatch.setattr("openstl_ext.hooks.result.profile", fail)
    record = run()
    assert record.metrics["mse"] == pytest.approx(2.5)
    assert record.flops is None
    assert record.frames_per_second is None


def test_selection_on_the_test_data_is_recorded():
    """A score that is too good would not be marked."""
    test = {"dataset": {"type": "Ramp", "split": "test"}}
    val = {"dataset": {"type": "Ramp", "split": "val"}}
    separate = Config({"val_dataloader": val, "test_dataloader": test})
    assert selection_of(separate) == {"split": "val", "on_test": False}
    on_test = Config({"val_dataloader": test, "test_dataloader": test})
    assert selection_of(on_test) == {"split": "test", "on_test": True}
    assert selection_of(Config({"test_dataloader": test})) is None


@pytest.mark.parametrize(("resets", "trained", "known"), [(0, 0, 1), (0, 9, 0), (1, 9, 1)])
def test_the_peak_of_a_training_is_not_that_of_a_test(
    resets: int, trained: int, known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of ``train --test`` would be larger than that of ``test``."""
    monkeypatch.setattr("openstl_ext.hooks.result.reset_peak", lambda _: bool(resets))
    runner: Any = SimpleNamespace(iter=trained, model=torch.nn.Linear(1, 1))
    hook = ResultHook()
    hook.before_test_epoch(runner)
    assert hook.peak_memory is None
    hook.after_test_iter(runner)
    assert (hook.peak_memory is not None) == bool(known)


def test_the_scores_are_in_an_array_beside_the_record(run, tmp_path):
    """A script of simvp_minimal's users would find no metrics.npy, or need a pickle."""
    record = run()
    scores = np.load(tmp_path / "metrics.npy")
    assert {name: float(scores[name]) for name in scores.dtype.names} == record.metrics
    run({"length": 2})  # another test, whose record has another name
    other = max(tmp_path.glob("result_*.json"))
    assert (tmp_path / other.name.replace("result", "metrics")).with_suffix(".npy").is_file()
    assert np.load(tmp_path / "metrics.npy") == scores


def test_a_score_without_a_value_is_nan_in_the_array():
    """A test whose score is null would end without its array."""
    array = scores_array({"mse": None, "ssim": 0.5})
    assert np.isnan(array["mse"])
    assert array["ssim"] == 0.5
    assert metrics_file(Path("a/result_1_2.json")) == Path("a/metrics_1_2.npy")
    assert metrics_file(Path("a/mine.json")) == Path("a/mine_metrics.npy")
