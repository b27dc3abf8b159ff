"""Building, training, resuming and testing a run."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import CheckpointError, ConfigError, UserError
from tests.engine import toy

ONE = {"train_cfg.max_epochs": 1}


def trained(work_dir: Path, **options: Any) -> Runner:
    run = build(toy.config(work_dir, **{**ONE, **options}))
    run.train()
    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work directory with a run of one epoch."""
    work_dir = tmp_path_factory.mktemp("finished") / "run"
    trained(work_dir)
    return work_dir


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("test_dataloader.dataset.type", "ToyWave"),
        ("test_dataloader.dataset.num_sample", 3),
        ("test_evaluator", [{"type": "MeanMES"}]),
        ("model.net.widht", 3),
        ("optim_wrapper.optimizer.type", "Adm"),
        ("param_scheduler", [{"type": "OneCycle"}]),
        ("default_hooks.checkpoint.save_best", "mes"),
        ("launcher", "pytroch"),
    ],
)
def test_a_typo_is_found_before_the_first_iteration(key: str, value: Any, tmp_path: Path) -> None:
    """A typo in the test loader would be found after the training."""
    with pytest.raises(ConfigError, match="did you mean"):
        build(toy.config(tmp_path, **{key: value}))


def test_missing_values_get_their_defaults(tmp_path: Path) -> None:
    """A config could omit settings that an exact resume depends on."""
    loader: dict[str, Any] = {f"{stage}_dataloader.num_workers": 1 for stage in ("train", "val")}
    loader["val_dataloader.sampler"] = None
    run = build(toy.config(tmp_path, **loader))
    assert type(run.train_loop).__name__ == "ExactTrainLoop"
    assert run.train_dataloader.persistent_workers
    assert not run.val_dataloader.sampler.round_up
    assert not run.val_dataloader.sampler.shuffle
    assert run.optim_wrapper.optimizer.defaults["fused"] is True


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"seed": 4}, "seed is 4, the checkpoint has 3"),
        (
            {"train_dataloader.batch_size": 4},
            "train_dataloader.batch_size is 4, the checkpoint has 3",
        ),
        (
            {"train_cfg": {"_delete_": True, "max_iterations": 8}},
            "max_iterations is 8, .* not set; .*max_epochs is not set, the checkpoint has 1",
        ),
        (
            {"train_dataloader.dataset.num_samples": 9},
            "num_samples is 9, .*; train_data.samples is 9, the checkpoint has 22",
        ),
        ({"optim_wrapper.optimizer.lr": 0.5}, "optimizer.lr is 0.5, the checkpoint has 0.01"),
        (
            {"optim_wrapper.accumulative_counts": 2},
            "accumulative_counts is 2, the checkpoint has not set",
        ),
    ],
)
def test_a_run_is_not_resumed_with_another_plan(
    option: dict[str, Any], message: str, finished: Path
) -> None:
    """The curve and the config of the run would be those of two different runs."""
    options = {**ONE, **option, "resume": True}
    with pytest.raises(CheckpointError, match=message):
        build(toy.config(finished, **options)).train()


def test_a_new_start_does_not_overwrite_a_run(finished: Path) -> None:
    """A forgotten --resume would delete the checkpoints."""
    with pytest.raises(CheckpointError, match="--resume"):
        build(toy.config(finished)).train()


@pytest.mark.parametrize("lost", ["nothing", "manifest"])
def test_a_run_continued_from_a_file_keeps_its_best_score(lost: str, tmp_path: Path) -> None:
    """A worse epoch would become the best one."""
    options = {"train_cfg.max_epochs": 4, "default_hooks.checkpoint.keep": -1}
    options |= {"optim_wrapper.optimizer.lr": 1.0, "param_scheduler": None}
    trained(tmp_path / "run", **options)
    folder = tmp_path / "run" / "checkpoints"
    best = checkpoint.best(folder)
    expected = checkpoint.read(best)["meta"]["entry"]
    assert expected["epoch"] == 2
    if lost == "manifest":
        (folder / "manifest.json").unlink()
        with pytest.raises(CheckpointError, match="already contains a run"):
            build(toy.config(tmp_path / "run")).train()
    for work_dir in (tmp_path / "run", tmp_path / "other"):
        trained(work_dir, **options, resume=str(folder / "epoch_3.pth"))
        found = checkpoint.read(checkpoint.best(work_dir))["meta"]["entry"]
        assert found == expected


def test_a_finished_run_is_neither_trained_nor_validated_again(
    finished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A script that resumes until the end would spend hours on a validation, and add to the log."""
    scalars = (finished / "scalars.jsonl").read_text()
    run = build(toy.config(finished, **ONE, resume=True))
    run.logger.addHandler(caplog.handler)
    run.train()
    assert (
        "nothing left to do: all 8 iterations are done and validated; the best checkpoint is"
        in caplog.text
    )
    assert (finished / "scalars.jsonl").read_text() == scalars
    assert run.test() == run.test()


def test_resume_auto_starts_a_run_and_continues_it(tmp_path: Path) -> None:
    """A script would need to know whether it is called for the first time."""
    options = {"resume": "auto", "default_hooks.checkpoint": {"interval": 3, "by_epoch": False}}
    run = trained(tmp_path, **options)
    assert run.iter == 8
    (tmp_path / "checkpoints" / "manifest.json").unlink()
    (tmp_path / "checkpoints" / "epoch_1.pth").unlink()
    again = trained(tmp_path, **options)
    assert again.iter == 8
    log = max(tmp_path.rglob("*.log"), key=lambda path: path.stat().st_mtime).read_text()
    assert "iter_6.pth after 6 iterations" in log


def test_resume_with_nothing_to_resume_is_an_error(tmp_path: Path) -> None:
    """The run would start again from random weights without a message."""
    with pytest.raises(CheckpointError, match="nothing to resume"):
        build(toy.config(tmp_path, resume=True)).train()


def test_a_run_that_began_from_weights_is_resumed_from_its_own_checkpoint(
    finished: Path, tmp_path: Path
) -> None:
    """It would start from the first weights again, or be refused because of them."""
    options = {**ONE, "load_from": str(checkpoint.best(finished))}
    build(toy.config(tmp_path, **options)).train()
    for again in (options, ONE):  # the weights need not be named again
        run = build(toy.config(tmp_path, **again, resume=True))
        run.train()
        assert run.iter == 8
        assert run.plan["load_from"] == checkpoint.best(finished).name


def test_a_checkpoint_without_the_plan_of_a_run_cannot_be_resumed(
    finished: Path, tmp_path: Path
) -> None:
    """What an earlier version did not store could not be compared."""
    saved = checkpoint.read(finished / "checkpoints/epoch_1.pth")
    saved["meta"] = {"epoch": 0, "iteration": 8, "config": "toy/run", "plan": {"seed": 3}}
    torch.save(saved, tmp_path / "old.pth")
    with pytest.raises(CheckpointError, match="earlier version"):
        build(toy.config(tmp_path / "run", resume=str(tmp_path / "old.pth"), **ONE)).train()


def test_other_versions_are_a_warning_in_the_log(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference in the last digit after an update could not be explained."""
    monkeypatch.setattr("openstl_ext.engine.state.__version__", "9.9")
    start = str(finished / "checkpoints" / "epoch_1.pth")
    build(toy.config(tmp_path, resume=start, **ONE)).train()
    (log,) = tmp_path.rglob("*.log")
    assert "this is {'openstl_ext': '9.9'" in log.read_text()


def test_a_checkpoint_of_weights_only_cannot_be_resumed(finished: Path, tmp_path: Path) -> None:
    """The optimiser would start again from its initial state."""
    best = str(checkpoint.best(finished))
    with pytest.raises(CheckpointError, match="weights only"):
        build(toy.config(tmp_path, resume=best)).train()


def test_a_run_can_be_resumed_from_a_file_of_another_folder(finished: Path, tmp_path: Path) -> None:
    """A run could not be moved to another machine."""
    run = build(toy.config(tmp_path, resume=str(finished / "checkpoints" / "epoch_1.pth"), **ONE))
    run.train()
    assert run.iter == 8


def test_a_checkpoint_inside_an_accumulation_is_rejected(tmp_path: Path) -> None:
    """Gradients are not saved, so a resumed run would lose half of an accumulation."""
    options = {
        "default_hooks.checkpoint": {"interval": 3, "by_epoch": False},
        "optim_wrapper.accumulative_counts": 2,
    }
    with pytest.raises(ConfigError, match="multiple"):
        build(toy.config(tmp_path, **options))


def test_the_names_of_mmengine_for_iterations_are_answered_with_ours(tmp_path: Path) -> None:
    """They would be ignored, or the run could not be resumed exactly."""
    cfg = toy.config(tmp_path)
    cfg.train_cfg = {"by_epoch": False, "max_iters": 10}
    with pytest.raises(ConfigError, match="write max_iterations=N instead of max_iters"):
        build(cfg)


ITERATIONS = {"train_cfg": {"_delete_": True, "max_iterations": 11, "val_interval": 4}}


def test_a_training_of_iterations_ends_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    """The length and the schedules of a published training could not be set."""
    schedules = [{"type": "OneCycleLR", "eta_max": 1e-2}, {"type": "WarmupCosineLR", "warmup": 2}]
    run = build(toy.config(tmp_path, **ITERATIONS, param_scheduler=schedules, log_level="INFO"))
    assert [s.by_epoch for s in run.param_schedulers] == [False, False]
    assert [s.end for s in run.param_schedulers] == [11, 11]
    assert run.param_schedulers[0].total_steps == 11
    run.train()
    assert (run.iter, run.epoch) == (11, 2)
    lines = [json.loads(x) for x in (tmp_path / "scalars.jsonl").read_text().splitlines()]
    assert [x["step"] for x in lines if x["phase"] == "train"] == [4, 8]
    assert [x["step"] for x in lines if x["phase"] == "val"] == [4, 8, 11]
    entries = checkpoint.read_manifest(tmp_path)
    assert [e.file for e in entries if e.kind == "resume"] == ["iter_11.pth", "iter_8.pth"]
    (best,) = [e for e in entries if e.kind == "best"]
    assert best.file == f"best_iter_{best.iteration}.pth"
    assert best.epoch == -(-best.iteration // 8)
    (log,) = tmp_path.rglob("*.log")
    lines = re.findall(r"  iteration +(\d+)/11  loss .*  val mse ", log.read_text())
    assert lines == ["4", "8", "11"]
    assert "epoch " not in log.read_text()


def test_iterations_are_validated_and_saved_once_per_epoch_by_default(tmp_path: Path) -> None:
    """Each iteration would be validated and saved, which takes longer than the training."""
    counted = {"_delete_": True, "max_iterations": 20}
    run = trained(tmp_path, **{"train_cfg": counted, "default_hooks.logger.interval": 50})
    assert run.train_loop.val_interval == 8
    lines = [json.loads(x) for x in (tmp_path / "scalars.jsonl").read_text().splitlines()]
    assert [x["step"] for x in lines if x["phase"] == "val"] == [8, 16, 20]
    assert [x["step"] for x in lines if x["phase"] == "train"] == [20]
    saved = [e.iteration for e in checkpoint.read_manifest(tmp_path) if e.kind == "resume"]
    assert saved == [20, 16]


def test_a_schedule_of_epochs_in_a_training_of_iterations_is_rejected(tmp_path: Path) -> None:
    """The rate would stay in its warm-up to the end."""
    schedule = {"type": "WarmupCosineLR", "by_epoch": True}
    with pytest.raises(ConfigError, match="WarmupCosineLR counts epochs, but train_cfg counts"):
        build(toy.config(tmp_path, **ITERATIONS, param_scheduler=[schedule]))


def test_early_stopping_in_the_middle_of_an_epoch_ends_a_training_of_iterations(
    tmp_path: Path,
) -> None:
    """The run would continue to the end of the epoch, which may take a day."""
    stop = {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less", "patience": 1}
    hooks = [{**stop, "min_delta": 9.0}]  # stops at the second validation
    for interval in (4, 3):
        train_cfg = {**ITERATIONS["train_cfg"], "val_interval": interval}
        run = trained(tmp_path / str(interval), train_cfg=train_cfg, custom_hooks=hooks)
        assert run.iter == 2 * interval


def test_after_training_the_best_checkpoint_is_tested(tmp_path: Path) -> None:
    """The score would be that of the last weights, not of those chosen by the validation."""
    cfg = toy.config(tmp_path, **{"optim_wrapper.optimizer.lr": 0.3})
    run = build(cfg)
    run.train()
    scores = run.test()
    entry = next(e for e in checkpoint.read_manifest(tmp_path) if e.kind == "best")
    assert scores["mse"] == entry.value  # toy validation and test are the same data
    alone = build(toy.config(tmp_path, load_from=str(checkpoint.best(tmp_path))), train=False)
    assert alone.test() == scores


def test_the_best_checkpoint_contains_the_evaluated_weights_under_averaging(tmp_path: Path) -> None:
    """The saved weights would have another score than the validation reported."""
    hooks = [{"type": "EMAHook", "momentum": 0.5}]
    run = trained(tmp_path, custom_hooks=hooks)
    averaged = checkpoint.read(checkpoint.best(tmp_path))["state_dict"]
    raw = unwrap(run.model).state_dict()
    assert any(not torch.equal(averaged[key], raw[key]) for key in raw)
    entry = next(e for e in checkpoint.read_manifest(tmp_path) if e.kind == "best")
    assert run.test()["mse"] == entry.value
    plain = build(toy.config(tmp_path, load_from=str(checkpoint.best(tmp_path))), train=False)
    assert plain.test()["mse"] == entry.value


def test_patience_survives_a_resume(tmp_path: Path) -> None:
    """A run that is killed often would never stop early."""
    patient = {"type": "EarlyStoppingHook", "monitor": "mse", "patience": 9, "rule": "less"}
    options = {"custom_hooks": [patient], "train_cfg.max_epochs": 2}
    run = build(toy.config(tmp_path, **options))
    run.train()
    first = str(tmp_path / "checkpoints" / "epoch_1.pth")
    again = build(toy.config(tmp_path, resume=first, **options))
    again.train()
    before, after = (
        next((h.wait_count, h.best_score) for h in r.hooks if hasattr(h, "wait_count"))
        for r in (run, again)
    )
    assert before == after


class Listener(Hook):
    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        self.sizes.append((len(data_batch["inputs"]["frames"]), len(outputs)))


def test_messages_of_the_package_are_in_the_log_of_the_run(tmp_path: Path) -> None:
    """The log of a slow run would not show which scan it uses."""
    build(toy.config(tmp_path / "one"))
    runner = build(toy.config(tmp_path / "two"))
    logging.getLogger("openstl_ext.ops.anything").info("selective scan on cpu: stepwise")
    assert runner.logger.handlers == logging.getLogger("openstl_ext").handlers
    logs = {run: [p.read_text() for p in (tmp_path / run).rglob("*.log")] for run in ("one", "two")}
    assert [text.count("cpu: stepwise") for text in logs["two"]] == [1]
    assert not any("cpu: stepwise" in text for text in logs["one"])


def test_hooks_see_each_sample_once(finished: Path) -> None:
    """The last batch is padded for the net only; padded samples would be saved as forecasts."""
    run = build(toy.config(finished, load_from=str(checkpoint.best(finished))), train=False)
    run.register_hook(listener := Listener())
    run.test()
    assert listener.sizes == [(3, 3), (3, 3), (1, 1)]


def test_a_batch_far_larger_than_the_split_is_not_filled_with_copies(
    finished: Path, tmp_path: Path
) -> None:
    """A typing error in the batch size would fill the memory, and the system kill the process."""
    cfg = toy.config(finished, load_from=str(checkpoint.best(finished)))
    cfg.test_dataloader.batch_size = 10**6
    run = build(cfg, train=False)
    sizes: list[int] = []
    unwrap(run.model).net.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    run.test()
    assert sizes == [7]
    cfg = toy.config(tmp_path)
    cfg.train_dataloader.batch_size = 10**6
    build(cfg)
    (log,) = tmp_path.rglob("*.log")
    assert "up to 1,000,000 samples, but the training set has 22: reduce" in log.read_text()


def test_a_part_can_start_from_another_run(finished: Path, tmp_path: Path) -> None:
    """A pre-trained encoder could not be used."""
    source = str(checkpoint.best(finished))
    hook = {"type": "PretrainedHook", "checkpoint": source, "prefix": "net."}
    run = build(toy.config(tmp_path, custom_hooks=[hook]), train=False)
    run.test()
    expected = checkpoint.read(source)["state_dict"]
    for key, value in unwrap(run.model).state_dict().items():
        assert torch.equal(value, expected[key])
    absent = {**hook, "prefix": "encoder."}
    with pytest.raises(UserError, match="no weight that starts with"):
        build(toy.config(tmp_path, custom_hooks=[absent]), train=False).test()


def test_building_does_not_change_the_config(tmp_path: Path) -> None:
    """A second run of the same config would differ from the first."""
    cfg = toy.config(tmp_path)
    before = Config(cfg.to_dict()).to_dict()
    build(cfg)
    assert cfg.to_dict() == before
