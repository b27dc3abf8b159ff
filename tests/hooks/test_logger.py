"""Log lines, scalars and files of training and test."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine.checkpoint import read_manifest
from openstl_ext.engine.runner import build
from openstl_ext.hooks.epoch_line import figure, overall
from openstl_ext.hooks.logger import LoggerHook
from openstl_ext.progress_line import display, quiet
from tests.engine import toy


def log_of(folder: Path) -> str:
    (log,) = folder.rglob("*.log")
    return log.read_text()


def trained(folder: Path, **options: Any) -> None:
    build(toy.config(folder, log_level="INFO", **options)).train()


def test_the_scores_of_a_test_are_logged_and_written_to_one_file(tmp_path: Path) -> None:
    """Two ranks would mix their lines in a second file."""
    runner = build(toy.config(tmp_path, log_level="INFO"), train=False)
    assert any(isinstance(hook, LoggerHook) for hook in runner.hooks)
    runner.test()
    assert "  test: mse 0." in log_of(tmp_path)
    assert {path.name for path in tmp_path.rglob("*.json")} <= {"result.json"}


def test_an_epoch_has_one_line_with_the_facts_of_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A user would read a score that is not the stored one, or three lines for one epoch."""
    trained(tmp_path, **{"train_cfg.max_epochs": 3})
    scalars = [json.loads(line) for line in (tmp_path / "scalars.jsonl").read_text().splitlines()]
    scores = [figure(entry["mse"]) for entry in scalars if entry["phase"] == "val"]
    best = next(entry for entry in read_manifest(tmp_path) if entry.kind == "best")
    printed = capsys.readouterr().out
    pattern = (
        r"  (epoch \d/3)  loss ([\d.]+)  val mse ([\d.]+)  lr (\S+)(  left \S+)?(  best so far)?"
    )
    lines = re.findall(pattern + "\n", printed)
    assert [line[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert [line[2] for line in lines] == scores
    assert [bool(line[4]) for line in lines] == [True, True, False]
    assert [bool(line[5]) for line in lines][best.epoch - 1 :] == [True] + [False] * (
        3 - best.epoch
    )
    assert all(line in log_of(tmp_path) for line in printed.splitlines())


def test_the_loss_of_a_line_is_the_mean_of_its_epoch(tmp_path: Path) -> None:
    """The last batches of an epoch would stand for all of them."""
    hooks = [{"type": "LossDiary"}]
    trained(tmp_path, **{"train_cfg.max_epochs": 2, "custom_hooks": hooks})
    diary = (tmp_path / "losses_0.txt").read_text().split("\n")[:-1]
    losses = [float.fromhex(line.split()[1]) for line in diary]
    length = len(losses) // 2
    means = [sum(losses[:length]) / length, sum(losses[length:]) / length]
    shown = re.findall(r"epoch \d/2  loss ([\d.]+)", log_of(tmp_path))
    assert [float(value) for value in shown] == pytest.approx(means, rel=1e-3)


def test_an_epoch_without_validation_has_a_line_too(tmp_path: Path) -> None:
    """The training of an encoder would be silent."""
    without = {"val_dataloader": None, "val_cfg": None, "val_evaluator": None}
    trained(tmp_path, **{"train_cfg.max_epochs": 2, **without})
    assert len(re.findall(r"epoch \d/2  loss [\d.]+  lr \S+", log_of(tmp_path))) == 2


def test_the_log_repeats_no_name_and_no_config(tmp_path: Path) -> None:
    """The lines that matter would be lost among hundreds of others."""
    build(toy.config(tmp_path, log_level="INFO"))
    runner = build(toy.config(tmp_path / "two", log_level="INFO"))
    runner.logger.info("paramwise_options -- body.0.weight:lr=0.1")
    runner.train()
    text = log_of(tmp_path / "two")
    for words in ("Exp name", "SyncBatchNorm", "paramwise", "mmengine", "INFO"):
        assert words not in text
    assert len(re.findall("toy/run", text)) == 2


def test_quiet_prints_warnings_and_logs_all(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A job that should be silent would fill its log, or hide what went wrong."""
    with quiet():
        runner = build(toy.config(tmp_path, log_level="INFO"))
        runner.train()
        runner.logger.warning("the disk is nearly full")
        lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if "epoch 1/" in line or "saved" in line]
    assert any("trained 3 epochs" in line for line in lines)  # the result
    assert [line.partition("  ")[2] for line in lines][-1] == "warning: the disk is nearly full"
    assert "epoch 1/" in log_of(tmp_path)


def test_an_error_within_the_training_ends_the_line(tmp_path: Path) -> None:
    """The next command of the process would show its progress below the old one."""
    hooks = [{"type": "PoisonHook", "at": 2}]
    with pytest.raises(Exception, match="not finite"):
        trained(tmp_path, custom_hooks=hooks)
    assert not display().tasks


def test_the_scores_of_a_class_are_shown_if_there_are_no_others() -> None:
    """The line would have no score at all, or ten of single leads."""
    assert overall({"mse": 1, "mse@1": 2, "mse[t2m]": 3}) == {"mse": 1}
    assert overall({"dice[a]": 1, "dice[a]@1": 2}) == {"dice[a]": 1}


def test_figures_have_four_digits() -> None:
    """The column would be too wide, or too coarse to compare."""
    shown = [figure(value) for value in (0.0123456, 12.3456, 1234.6, 1.5e-7, float("nan"))]
    assert shown == ["0.01235", "12.35", "1235", "1.500e-07", "nan"]


def test_other_handlers_of_the_logger_are_kept(tmp_path: Path) -> None:
    """A tracker that listens to the log would get nothing."""
    runner = build(toy.config(tmp_path))
    kinds = [type(handler).__name__ for handler in runner.logger.handlers]
    assert kinds == ["ConsoleHandler", "FileHandler"]
    assert runner.logger.handlers == logging.getLogger("openstl_ext").handlers
