"""Iteration of the method, and losses in the log."""

import json
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook

from openstl_ext.engine.runner import Runner, build
from openstl_ext.hooks import progress
from tests.engine import toy


class Listener(Hook):
    def __init__(self) -> None:
        self.iterations: list[int] = []
        self.losses: list[float] = []

    def after_train_iter(self, runner: Runner, *_: Any, outputs: dict, **__: Any) -> None:
        self.iterations.append(runner.model.iteration)
        self.losses.append(outputs["loss"].item())


def test_the_method_has_its_iteration_and_the_log_all_losses(tmp_path: Path) -> None:
    """Scheduled sampling would use a wrong rate, or the curve would be a mean of some losses."""
    run = build(toy.config(tmp_path, **{"train_cfg.max_epochs": 1}))
    run.register_hook(listener := Listener(), priority="VERY_LOW")
    run.train()
    assert listener.iterations == list(range(8))
    lines = map(json.loads, (tmp_path / "scalars.jsonl").read_text().splitlines())
    logged = [line["loss"] for line in lines if "loss" in line]
    assert logged == pytest.approx(
        [sum(listener.losses[:4]) / 4, sum(listener.losses) / 8], abs=1e-6
    )  # the log averages over a window of ten


def test_old_values_of_the_log_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long training would grow, and copy all losses at each iteration."""
    monkeypatch.setattr(progress, "HISTORY", 5)
    run = build(toy.config(tmp_path, **{"train_cfg.max_epochs": 3}))
    run.train()
    buffers = run.message_hub.log_scalars
    assert "train/loss" in buffers
    assert max(len(buffer.data[0]) for buffer in buffers.values()) == 10  # the window of the log
