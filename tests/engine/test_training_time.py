"""The time of a training, with a clock that hooks and the dataset advance."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook

from openstl_ext.engine import checkpoint, training_time
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.training_time import TrainingClock
from tests.engine import toy

LOAD, STEP, SAVE_AND_VALIDATE = 0.25, 1.0, 1000.0
SAMPLES, ITERATIONS = 22, 8
"""Of an epoch."""


class Stopped(Exception):  # noqa: N818
    """The end of a run at any moment."""


class Now:
    """A clock that stands still unless it is advanced."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    """The time that the clock of a training reads."""
    now = Now()
    monkeypatch.setattr(training_time, "time", SimpleNamespace(perf_counter=now))
    return now


class Work(Hook):
    """Advance the time by that of each stage, and stop after an iteration."""

    changes = "nothing"
    priority = "LOWEST"

    def __init__(self, now: Now, stop_at: int = 0) -> None:
        self.now, self.stop_at = now, stop_at

    def before_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        del runner
        self.now.seconds += STEP

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == self.stop_at:
            raise Stopped

    def before_save_checkpoint(self, runner: Runner, checkpoint: Any) -> None:
        del runner, checkpoint
        self.now.seconds += SAVE_AND_VALIDATE

    def before_val_epoch(self, runner: Runner) -> None:
        del runner
        self.now.seconds += SAVE_AND_VALIDATE


@pytest.fixture
def slow_loading(now: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each training sample take time."""
    original = toy.ToyWaves.__getitem__

    def read(dataset: toy.ToyWaves, index: int) -> Any:
        now.seconds += LOAD if dataset.split == "train" else SAVE_AND_VALIDATE
        return original(dataset, index)

    monkeypatch.setattr(toy.ToyWaves, "__getitem__", read)


def run(work_dir: Path, now: Now, *, stop_at: int = 0, **options: Any) -> Runner:
    built = build(toy.config(work_dir, **{"train_cfg.max_epochs": 2, **options}))
    built.register_hook(Work(now, stop_at))
    built.train()
    return built


def time_in(path: Path) -> Any:
    return checkpoint.read(path)["meta"]["training_time"]


@pytest.mark.usefixtures("slow_loading")
def test_loading_and_steps_count_and_nothing_else(now: Now, tmp_path: Path) -> None:
    """Long validations would make a method look slow to train."""
    run(tmp_path, now)
    epoch = SAMPLES * LOAD + ITERATIONS * STEP
    folder = tmp_path / "checkpoints"
    for number in (1, 2):
        (part,) = time_in(folder / f"epoch_{number}.pth")
        assert part == {
            "seconds": number * epoch,
            "devices": 1,
            "device": training_time.device_name(),
        }
    best = checkpoint.read(checkpoint.best(folder))["meta"]
    assert best["training_time"][0]["seconds"] == best["entry"]["epoch"] * epoch


@pytest.mark.parametrize("by_iteration", [False, True])
def test_a_resumed_run_counts_each_iteration_once(
    by_iteration: bool, now: Now, tmp_path: Path
) -> None:
    """The time would be that since the last interruption, or count lost iterations too."""
    saves: dict[str, Any] = {"default_hooks.checkpoint": {"interval": 3, "by_epoch": False}}
    if by_iteration:
        length = {"_delete_": True, "max_iterations": 2 * ITERATIONS, "val_interval": 5}
        saves["train_cfg"] = length
    for stop_at, resume in ((5, False), (11, True)):
        with pytest.raises(Stopped):
            run(tmp_path, now, stop_at=stop_at, resume=resume, **saves)
    run(tmp_path, now, resume=True, **saves)
    path, _ = checkpoint.newest(tmp_path, pytest.fail)
    assert time_in(path)[0]["seconds"] == 2 * ITERATIONS * STEP


def test_the_time_of_other_devices_is_kept_apart(now: Now) -> None:
    """Hours on a CPU and on a GPU would be one sum."""
    first = TrainingClock(1, "slow")
    first.start()
    now.seconds += 60
    first.stop()
    second = TrainingClock(4, "fast")
    second.restore(first.state())
    second.start()
    now.seconds += 5
    with second.paused():
        now.seconds += 1000
    now.seconds += 2.0004
    second.stop()
    expected = [
        {"seconds": 60.0, "devices": 1, "device": "slow"},
        {"seconds": 7.0, "devices": 4, "device": "fast"},
    ]
    assert second.state() == expected
    third = TrainingClock(1, "slow")
    third.restore(expected)
    third.start()
    now.seconds += 3
    third.stop()
    assert third.state() == [{**expected[0], "seconds": 63.0}, expected[1]]
    assert expected[0]["seconds"] == 60.0


def test_a_run_of_an_earlier_version_has_no_time(now: Now, tmp_path: Path) -> None:
    """The time since its resume would pass for that of the whole training."""
    run(tmp_path / "before", now, **{"train_cfg.max_epochs": 1})
    saved = checkpoint.read(tmp_path / "before/checkpoints/epoch_1.pth")
    del saved["meta"]["training_time"]
    torch.save(saved, tmp_path / "old.pth")
    run(tmp_path / "after", now, resume=str(tmp_path / "old.pth"))
    assert time_in(tmp_path / "after/checkpoints/epoch_2.pth") is None
