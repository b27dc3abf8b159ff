"""A run that is extended equals the uninterrupted one of its final length, bit for bit."""

from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import Runner, build
from openstl_ext.errors import CheckpointError
from tests.e2e.test_resume import assert_same, without_time
from tests.engine import toy

SHORT, LONG = {"train_cfg.max_epochs": 1}, {"train_cfg.max_epochs": 3}
WARM_UP = {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "end": 5}
PLATEAU = {"type": "ReduceOnPlateauLR", "monitor": "mse", "rule": "less", "patience": 1}
COSINE = {"type": "CosineAnnealingLR", "by_epoch": False}
STOPPING = {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less", "patience": 1}


def run(work_dir: Path, **options: Any) -> Runner:
    runner = build(toy.config(work_dir, **options))
    runner.train()
    return runner


def final(work_dir: Path) -> dict[str, Any]:
    """Return the last checkpoint, without the folder of the run and the fact of its extension."""
    state = without_time(checkpoint.newest(work_dir, pytest.fail)[1])
    del state["meta"]["config"]
    state["meta"]["plan"].pop("earlier lengths", None)
    return state


@pytest.mark.parametrize(
    "options",
    [
        {"param_scheduler": None},
        # steps at its end, which the shorter run does not make
        {"param_scheduler": [{"type": "ExponentialLR", "gamma": 0.9, "by_epoch": False}]},
        {"param_scheduler": [{"type": "MultiStepLR", "milestones": [1, 2], "gamma": 0.5}]},
        {"param_scheduler": [{"type": "StepLR", "step_size": 1, "gamma": 0.5}]},
        {"param_scheduler": [WARM_UP, PLATEAU], "custom_hooks": [{"type": "EMAHook"}]},
        {"param_scheduler": [{**COSINE, "T_max": 30}]},
        {"param_scheduler": None, "optim_wrapper.accumulative_counts": 4},
    ],
    ids=[
        "constant",
        "every iteration",
        "milestones",
        "steps",
        "plateau",
        "fixed length",
        "accumulation",
    ],
)
def test_an_extended_run_equals_the_uninterrupted_one(
    options: dict[str, Any], tmp_path: Path
) -> None:
    """More epochs would give a model that no training from the beginning gives."""
    run(tmp_path / "whole", **LONG, **options)
    run(tmp_path / "parts", **SHORT, **options, resume="auto")
    run(tmp_path / "parts", **LONG, **options, resume="auto")
    whole, parts = final(tmp_path / "whole"), final(tmp_path / "parts")
    assert_same(whole, parts)
    whole_best, parts_best = (
        checkpoint.read(checkpoint.best(tmp_path / name)) for name in ("whole", "parts")
    )
    assert_same(whole_best["state_dict"], parts_best["state_dict"])


def test_a_run_in_iterations_is_extended_from_the_middle_of_an_epoch(tmp_path: Path) -> None:
    """A training counted in iterations could not be extended, or would skip half an epoch."""
    options = {"param_scheduler": [{"type": "MultiStepLR", "milestones": [5, 13]}]}
    short, long = ({"train_cfg": {"_delete_": True, "max_iterations": n}} for n in (5, 19))
    run(tmp_path / "whole", **long, **options)
    run(tmp_path / "parts", **short, **options)
    run(tmp_path / "parts", **long, **options, resume=True)
    assert_same(final(tmp_path / "whole"), final(tmp_path / "parts"))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            {"type": "OneCycleLR", "eta_max": 1e-2, "by_epoch": False},
            r"OneCycleLR takes param_scheduler.0.total_steps from the length of the training "
            r"\(iteration 2 would have another lr\)",
        ),
        (COSINE, r"CosineAnnealingLR takes param_scheduler.0.T_max from .*\(iteration 2 would"),
        (
            {"type": "WarmupCosineLR", "warmup": 0},
            r"WarmupCosineLR takes param_scheduler.0.end from .*\(iteration 9 would",
        ),
        (
            {"type": "WarmupThenCosineLR", "warmup": 1, "convert_to_iter_based": True},
            r"WarmupThenCosineLR takes param_scheduler.0.end from .*\(iteration 10 would",
        ),
    ],
)
def test_a_schedule_that_depends_on_the_length_is_named_with_its_argument(
    schedule: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """The extended run would be one whose rates fall to zero twice, without a word about it."""
    options = {"param_scheduler": [schedule]}
    run(tmp_path, **{"train_cfg.max_epochs": 2}, **options)
    with pytest.raises(CheckpointError, match=message) as caught:
        run(tmp_path, **LONG, **options, resume=True)
    assert "with max_epochs=3, the checkpoint has 2" in str(caught.value)
    end = 2 if schedule.get("by_epoch", True) else 16
    assert f"train_cfg.max_epochs=3 +param_scheduler.0.end={end}" in str(caught.value)


def test_the_remedy_of_the_message_trains_on_with_the_last_rate(tmp_path: Path) -> None:
    """The message would name a remedy that is refused, too."""
    cosine = {"param_scheduler": [COSINE]}
    ended = {"param_scheduler": [{**COSINE, "end": 8}]}
    run(tmp_path / "whole", **LONG, **ended)
    run(tmp_path / "parts", **SHORT, **cosine)
    runner = run(tmp_path / "parts", **LONG, **ended, resume=True)
    assert_same(final(tmp_path / "whole"), final(tmp_path / "parts"))
    assert runner.optim_wrapper.param_groups[0]["lr"] < 1e-3


def test_a_schedule_may_be_extended_before_it_depends_on_the_length(tmp_path: Path) -> None:
    """A run of which only the warm-up is done would have to start again."""
    cosine = {"type": "WarmupThenCosineLR", "warmup": 1, "convert_to_iter_based": True}
    options = {
        "param_scheduler": [cosine],
        "default_hooks.checkpoint": {"interval": 3, "by_epoch": False, "keep": -1},
    }
    run(tmp_path / "whole", **LONG, **options)
    run(tmp_path / "short", **{"train_cfg.max_epochs": 2}, **options)
    start = str(tmp_path / "short" / "checkpoints" / "iter_6.pth")
    run(tmp_path / "parts", **LONG, **options, resume=start)
    assert_same(final(tmp_path / "whole"), final(tmp_path / "parts"))


def test_an_incomplete_last_update_is_not_extended(tmp_path: Path) -> None:
    """The last gradients of the shorter training have another weight than in the longer one."""
    options = {"param_scheduler": None, "optim_wrapper.accumulative_counts": 3}
    run(tmp_path / "whole", **LONG, **options)
    run(tmp_path / "parts", **SHORT, **options)
    with pytest.raises(CheckpointError, match="has the gradients of 2 instead of 3 iterations"):
        run(tmp_path / "parts", **LONG, **options, resume="auto")
    before = str(tmp_path / "parts" / "checkpoints" / "iter_6.pth")
    run(tmp_path / "parts", **LONG, **options, resume=before)
    assert_same(final(tmp_path / "whole"), final(tmp_path / "parts"))


def test_a_shorter_training_is_refused(tmp_path: Path) -> None:
    """The record would state a length that the run does not have."""
    run(tmp_path, **LONG, param_scheduler=None)
    with pytest.raises(CheckpointError, match="max_epochs is 1, the checkpoint has 3"):
        run(tmp_path, **SHORT, param_scheduler=None, resume=True)


def test_checkpoints_of_an_extended_run_state_its_lengths(tmp_path: Path) -> None:
    """A training that was extended after its scores were seen could pass as planned."""
    for epochs in (1, 2, 3):
        options = {"train_cfg.max_epochs": epochs, "param_scheduler": None}
        # the best of epoch 1 stays the best
        options |= {"optim_wrapper.optimizer.lr": 0.0, "model.net.plain": True}
        run(tmp_path, **options, resume="auto")
    for path in (checkpoint.newest(tmp_path, pytest.fail)[0], checkpoint.best(tmp_path)):
        plan = checkpoint.read(path)["meta"]["plan"]
        assert plan["train_cfg.max_epochs"] == 3
        assert plan["earlier lengths"] == [1, 2]
    best = checkpoint.load_manifest(tmp_path).best
    assert best is not None
    assert (best.file, best.iteration) == ("best_epoch_1.pth", 8)
    assert len(list((tmp_path / "checkpoints").glob("best*"))) == 1


def test_a_run_that_was_stopped_early_is_finished(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A job that is queued again would validate again, for ever."""
    options = {**LONG, "custom_hooks": [STOPPING], "optim_wrapper.optimizer.lr": 0.0}
    options |= {"param_scheduler": None, "model.net.plain": True}
    assert run(tmp_path, **options).iter == 16
    again = build(toy.config(tmp_path, **options, resume="auto"))
    again.logger.addHandler(caplog.handler)
    again.train()
    assert "nothing left to do: all 16 iterations are done and validated" in caplog.text
    longer = run(tmp_path, **{**options, "train_cfg.max_epochs": 9}, resume="auto")
    assert longer.iter == 16, "it stops at the same place"
