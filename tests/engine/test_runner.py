"""A run is whole before it begins, and goes on only as itself."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import CheckpointError, ConfigError, NonFiniteError, UserError
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
    """Mmengine finds the one in the test loader when the training is over, after days."""
    with pytest.raises(ConfigError, match="did you mean"):
        build(toy.config(tmp_path, **{key: value}))


def test_what_a_config_leaves_out_is_filled_in(tmp_path: Path) -> None:
    """Else each config could forget what exactness depends on."""
    loader: dict[str, Any] = {f"{stage}_dataloader.num_workers": 1 for stage in ("train", "val")}
    loader["val_dataloader.sampler"] = None
    run = build(toy.config(tmp_path, **loader))
    assert type(run.train_loop).__name__ == "ExactTrainLoop"
    assert run.train_dataloader.persistent_workers
    assert not run.val_dataloader.sampler.round_up
    assert not run.val_dataloader.sampler.shuffle
    assert run.optim_wrapper.optimizer.defaults["fused"] is True


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"seed": 4}, "seed was 3, is 4"),
        ({"train_dataloader.batch_size": 4}, "batch size was 3, is 4"),
        ({"train_cfg.max_epochs": 5}, "epochs was 1, is 5"),
        ({"train_dataloader.dataset.num_samples": 9}, "samples was 22, is 9"),
        ({"optim_wrapper.optimizer.lr": 0.5}, "optim_wrapper was"),
        ({"optim_wrapper.accumulative_counts": 2}, "accumulative_counts was 1, is 2"),
    ],
)
def test_a_run_goes_on_only_as_itself(option: dict[str, Any], said: str, finished: Path) -> None:
    """Else the curve of one run would be that of two, and its config a lie."""
    options = {**ONE, **option, "resume": True}
    with pytest.raises(CheckpointError, match=said):
        build(toy.config(finished, **options)).train()


def test_a_new_start_never_overwrites_a_run(finished: Path) -> None:
    """A forgotten --resume must not cost the checkpoints."""
    with pytest.raises(CheckpointError, match="--resume"):
        build(toy.config(finished)).train()


def test_resume_with_nothing_to_resume_is_an_error(tmp_path: Path) -> None:
    """Mmengine starts from scratch in silence."""
    with pytest.raises(CheckpointError, match="nothing to resume"):
        build(toy.config(tmp_path, resume=True)).train()


def test_weights_alone_are_no_run_to_go_on_with(finished: Path, tmp_path: Path) -> None:
    """The optimiser would start anew, and the curve would have a kink nobody can explain."""
    best = str(checkpoint.best(finished))
    with pytest.raises(CheckpointError, match="weights only"):
        build(toy.config(tmp_path, resume=best)).train()


def test_a_run_can_go_on_from_a_named_file_elsewhere(finished: Path, tmp_path: Path) -> None:
    """Runs move between machines."""
    run = build(toy.config(tmp_path, resume=str(finished / "checkpoints" / "epoch_1.pth"), **ONE))
    run.train()
    assert run.iter == 8


def test_a_loss_that_is_no_number_ends_the_run_with_its_terms(tmp_path: Path) -> None:
    """Mmengine trains on, saves NaN, and exits as if all were well."""
    hooks = [{"type": "PoisonHook", "at": 5}]
    with pytest.raises(NonFiniteError, match=r"iteration 5 on rank 0: loss = nan, loss_frames"):
        trained(tmp_path, custom_hooks=hooks)
    assert checkpoint.read_manifest(tmp_path) == []


def test_an_accumulation_is_never_cut_in_two(tmp_path: Path) -> None:
    """Gradients are not saved: half an accumulation would be lost in silence."""
    options = {
        "default_hooks.checkpoint": {"interval": 3, "by_epoch": False},
        "optim_wrapper.accumulative_counts": 2,
    }
    with pytest.raises(ConfigError, match="multiple"):
        build(toy.config(tmp_path, **options))


def test_iterations_instead_of_epochs_are_refused_with_advice(tmp_path: Path) -> None:
    """Else they would be ignored, or resumed inexactly."""
    cfg = toy.config(tmp_path)
    cfg.train_cfg = {"by_epoch": False, "max_iters": 10}
    with pytest.raises(ConfigError, match="max_epochs"):
        build(cfg)


def test_after_training_the_best_checkpoint_is_tested(tmp_path: Path) -> None:
    """The last weights are not those that the validation chose."""
    cfg = toy.config(tmp_path, **{"optim_wrapper.optimizer.lr": 0.3})
    run = build(cfg)
    run.train()
    scores = run.test()
    entry = next(e for e in checkpoint.read_manifest(tmp_path) if e["kind"] == "best")
    assert scores["mse"] == entry["value"]  # toy validation and test are the same data
    alone = build(toy.config(tmp_path, load_from=str(checkpoint.best(tmp_path))), train=False)
    assert alone.test() == scores


def test_the_best_checkpoint_holds_what_was_judged_under_averaging(tmp_path: Path) -> None:
    """With EMA the averaged weights are judged; the raw ones would score otherwise."""
    hooks = [{"type": "EMAHook", "momentum": 0.5}]
    run = trained(tmp_path, custom_hooks=hooks)
    judged = checkpoint.read(checkpoint.best(tmp_path))["state_dict"]
    raw = unwrap(run.model).state_dict()
    assert any(not torch.equal(judged[key], raw[key]) for key in raw)
    entry = next(e for e in checkpoint.read_manifest(tmp_path) if e["kind"] == "best")
    assert run.test()["mse"] == entry["value"]
    plain = build(toy.config(tmp_path, load_from=str(checkpoint.best(tmp_path))), train=False)
    assert plain.test()["mse"] == entry["value"]


def test_patience_survives_a_resume(tmp_path: Path) -> None:
    """A run that is killed often would else never stop early."""
    patient = {"type": "EarlyStoppingHook", "monitor": "mse", "patience": 9, "rule": "less"}
    options = {"custom_hooks": [patient], "train_cfg.max_epochs": 2}
    run = build(toy.config(tmp_path, **options))
    run.train()
    again = build(toy.config(tmp_path, resume=True, **options))
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


def test_the_log_of_a_run_holds_what_the_package_says(tmp_path: Path) -> None:
    """If this fails, nobody learns which scan a slow run is using."""
    build(toy.config(tmp_path / "one"))
    runner = build(toy.config(tmp_path / "two"))
    logging.getLogger("openstl_ext.ops.anything").info("selective scan on cpu: stepwise")
    assert runner.logger.handlers == logging.getLogger("openstl_ext").handlers
    logs = {run: [p.read_text() for p in (tmp_path / run).rglob("*.log")] for run in ("one", "two")}
    assert [text.count("cpu: stepwise") for text in logs["two"]] == [1]
    assert not any("cpu: stepwise" in text for text in logs["one"])


def test_hooks_see_each_sample_once(finished: Path) -> None:
    """The last batch is filled up for the net alone; a saved forecast must not be a repeat."""
    run = build(toy.config(finished, load_from=str(checkpoint.best(finished))), train=False)
    run.register_hook(listener := Listener())
    run.test()
    assert listener.sizes == [(3, 3), (3, 3), (1, 1)]


def test_a_part_can_start_from_another_run(finished: Path, tmp_path: Path) -> None:
    """The usual way to use a pre-trained encoder."""
    source = str(checkpoint.best(finished))
    hook = {"type": "PretrainedHook", "checkpoint": source, "prefix": "net."}
    run = build(toy.config(tmp_path, custom_hooks=[hook]), train=False)
    run.test()
    expected = checkpoint.read(source)["state_dict"]
    for key, value in unwrap(run.model).state_dict().items():
        assert torch.equal(value, expected[key])
    absent = {**hook, "prefix": "encoder."}
    with pytest.raises(UserError, match="no weight that begins with"):
        build(toy.config(tmp_path, custom_hooks=[absent]), train=False).test()


def test_a_config_is_left_as_it_was(tmp_path: Path) -> None:
    """The same config may build several runs."""
    cfg = toy.config(tmp_path)
    before = Config(cfg.to_dict()).to_dict()
    build(cfg)
    assert cfg.to_dict() == before
