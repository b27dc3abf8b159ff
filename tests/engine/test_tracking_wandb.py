"""Scalars at Weights & Biases; its failures do not end the run."""

import builtins
import json
import logging
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.visualization import Visualizer

from openstl_ext.engine import tracking_wandb
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.runner import build
from openstl_ext.engine.tracking_wandb import WandbTracker
from openstl_ext.errors import ConfigError
from openstl_ext.registry import VISBACKENDS
from tests.engine import toy

HINT = "pip install wandb"
PICTURE = np.zeros((2, 3, 3), dtype=np.uint8)


class FakeRun:
    """Run of the fake library that stores its calls."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.axes: dict[str, str | None] = {}
        self.finished = False

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        self.axes[name] = step_metric

    def log(self, content: dict[str, Any]) -> None:
        self.logged.append(content)

    def finish(self) -> None:
        self.finished = True


class FakeWandb(SimpleNamespace):
    """Fake library that stores its calls; one of its functions may fail."""

    def __init__(self, failing: str | None = None) -> None:
        super().__init__(runs=[], starts=[], Image=lambda image: ("image", image.shape))
        self.failing = failing

    def init(self, **how: Any) -> FakeRun:
        self.starts.append(how)
        self.runs.append(FakeRun())
        if self.failing == "init":
            raise ConnectionError("no route to host\nand a long report")
        if self.failing:
            setattr(self.runs[-1], self.failing, self.fail)
        return self.runs[-1]

    def fail(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("the service is gone")


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> FakeWandb:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    return fake


def tracker(folder: Path, *, resume: bool = False, **options: Any) -> WandbTracker:
    made = WandbTracker(**options)
    known = {"work_dir": str(folder), "resume": resume, "identity": "toy/run", "seed": 3}
    made.add_config(Config(known))
    return made


def use(sink: WandbTracker) -> None:
    """Use the tracker as a run does."""
    sink.add_scalars({"iter": 10, "epoch": 1, "loss": 2.0}, step=10, file_path="x.json")
    sink.add_scalars({"mae": 3.0, "mae@1": 2.0, "mae@2": float("nan"), "note": "text"}, step=10)
    sink.add_image("val/panel", PICTURE, step=10)
    sink.close()


def test_scalars_and_pictures_are_sent_on_the_axis_of_iterations(
    tmp_path: Path, wandb: FakeWandb
) -> None:
    """Curves at W&B could not be compared with those of TensorBoard, or would miss leads."""
    use(tracker(tmp_path))
    (run,) = wandb.runs
    assert run.logged == [
        {"iteration": 10, "train/loss": 2.0},
        {"iteration": 10, "val/mae": 3.0, "val/mae@1": 2.0},
        {"iteration": 10, "val/panel": ("image", (2, 3, 3))},
    ]
    assert run.axes == {"iteration": None, "*": "iteration"}
    assert run.finished


def test_the_default_is_offline_and_the_run_has_a_name(tmp_path: Path, wandb: FakeWandb) -> None:
    """A run would send data without consent, or could not be identified."""
    use(tracker(tmp_path))
    use(tracker(tmp_path, mode="online", project="maps", name="mine", group="ours"))
    first, second = wandb.starts
    shown = ("mode", "project", "name", "group")
    assert [first[key] for key in shown] == ["offline", "openstl_ext", "toy/run seed 3", "toy/run"]
    assert [second[key] for key in shown] == ["online", "maps", "mine", "ours"]
    assert first["dir"] == str(tmp_path)
    assert first["config"]["identity"] == "toy/run"
    with pytest.raises(ConfigError, match="did you mean 'offline'"):
        WandbTracker(mode="ofline")  # type: ignore[arg-type]


def test_a_resume_and_a_test_continue_the_same_run(tmp_path: Path, wandb: FakeWandb) -> None:
    """One training would be three runs at W&B, or two trainings one run."""
    use(tracker(tmp_path))
    use(tracker(tmp_path, resume=True))
    tested = tracker(tmp_path)  # a test shows a picture and trains nothing
    tested.add_image("test/panel", PICTURE, step=10)
    tested.close()
    anew = tracker(tmp_path)
    use(anew)
    use(anew)  # closed, and opened again
    ids = [how["id"] for how in wandb.starts]
    assert ids[0] == ids[1] == ids[2] != ids[3] == ids[4]
    assert (tmp_path / "wandb_id.txt").read_text().strip() == ids[4]
    assert {how["resume"] for how in wandb.starts} == {"allow"}


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    name = tracking_wandb.__name__
    return [record.message for record in caplog.records if record.name == name]


@pytest.mark.parametrize("failing", ["init", "define_metric", "log", "finish"])
def test_a_failure_is_one_warning_and_ends_the_tracking_only(
    failing: str, tmp_path: Path, wandb: FakeWandb, caplog: pytest.LogCaptureFixture
) -> None:
    """A training would end because a server is not available."""
    wandb.failing = failing
    sink = tracker(tmp_path)
    with caplog.at_level(logging.WARNING, "openstl_ext"):
        use(sink)
        use(sink)
    (warning,) = warnings_of(caplog)
    assert HINT in warning
    assert "no route to host)" in warning if failing == "init" else "the service is gone" in warning
    assert len(wandb.starts) == 1


def test_without_the_library_there_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A config with W&B would run only where the library is installed."""
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "wandb":
            raise ModuleNotFoundError("No module named 'wandb'")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with caplog.at_level(logging.WARNING, "openstl_ext"):
        use(tracker(tmp_path))
    (warning,) = warnings_of(caplog)
    assert HINT in warning
    assert "No module named 'wandb'" in warning


def test_a_full_disk_does_not_end_the_run(
    tmp_path: Path, wandb: FakeWandb, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that cannot be written would end the run."""
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING, "openstl_ext"):
        use(tracker(tmp_path / "file"))
    assert len(warnings_of(caplog)) == 1
    assert not wandb.starts


def test_waiting_for_a_network_has_a_limit(
    tmp_path: Path,
    wandb: FakeWandb,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A finished run would occupy its GPUs forever."""
    monkeypatch.setattr(tracking_wandb, "SECONDS", 0.05)
    monkeypatch.setattr(FakeRun, "finish", lambda _: threading.Event().wait(5))
    with caplog.at_level(logging.WARNING, "openstl_ext"):
        use(tracker(tmp_path))
    assert "TimeoutError: no answer within 0.05 s" in warnings_of(caplog)[0]


def test_only_the_main_rank_sends(
    tmp_path: Path, wandb: FakeWandb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four GPUs would be four runs at W&B."""
    monkeypatch.setattr("mmengine.dist.utils.get_rank", lambda *_: 1)
    drawer = Visualizer(vis_backends=[tracker(tmp_path)])
    drawer.add_scalars({"iter": 1, "loss": 1.0}, step=1)
    drawer.add_image("val/panel", PICTURE, step=1)
    drawer.close()
    tracker(tmp_path).add_image("val/panel", PICTURE, step=1)
    assert not wandb.starts
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", [None, "log"])
def test_tracking_does_not_change_the_weights(
    failing: str | None, tmp_path: Path, wandb: FakeWandb
) -> None:
    """A tracked run would differ from one without tracking."""
    wandb.failing = failing
    trackers = [{"type": name} for name in ("JsonLinesTracker", "WandbTracker")]
    runs = {}
    for name, chosen in (("alone", trackers[:1]), ("watched", trackers)):
        options = {"train_cfg.max_epochs": 1, "log_level": "ERROR"}
        cfg = toy.config(tmp_path / name, **options)
        cfg.visualizer = {"type": "Visualizer", "vis_backends": chosen}
        runs[name] = build(cfg).train().state_dict()
    for key, value in runs["alone"].items():
        assert value.equal(runs["watched"][key])
    if failing is None:
        (run,) = wandb.runs
        assert {"iteration", "val/mse", "val/mse@1", "val/mse@2"} <= set(run.logged[-1])
        scalars = (tmp_path / "watched/scalars.jsonl").read_text().splitlines()
        assert [e["iteration"] for e in run.logged] == [json.loads(e)["step"] for e in scalars]


def test_the_tracker_is_registered_and_added_to_the_others_by_track(tmp_path: Path) -> None:
    """Configs could not name it, or --track would replace the other trackers."""
    assert VISBACKENDS.get("WandbTracker") is WandbTracker
    cfg = toy.config(tmp_path)
    cfg.track = "online"
    names = [part["type"] for part in complete(cfg).visualizer.vis_backends]
    assert names == ["JsonLinesTracker", "TensorboardXTracker", "WandbTracker"]
    assert complete(cfg).visualizer.vis_backends[-1]["mode"] == "online"
