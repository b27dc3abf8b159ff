"""Losses and states that are not finite end a run, and are not saved."""

import threading
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import NonFiniteError
from tests.engine import toy

ONE = {"train_cfg.max_epochs": 1}


def trained(work_dir: Path, **options: Any) -> None:
    build(toy.config(work_dir, **{**ONE, **options})).train()


def test_a_non_finite_loss_ends_the_run_and_its_terms_are_in_the_message(tmp_path: Path) -> None:
    """The training would continue with NaN weights and save them."""
    hooks = [{"type": "PoisonHook", "at": 5}]
    with pytest.raises(NonFiniteError, match=r"iteration 5 on rank 0: loss = nan, loss_frames"):
        trained(tmp_path, custom_hooks=hooks)
    assert checkpoint.read_manifest(tmp_path) == []


GUARDS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "a guard that looks rarely": {"default_hooks.guard": {"interval": 1000}},
    "checkpoints by iteration": {"default_hooks.checkpoint": {"interval": 4, "by_epoch": False}},
    "only the best": {
        "default_hooks.checkpoint": {"interval": 9},
        "train_cfg": {"max_epochs": 2},
        "optim_wrapper.optimizer.lr": 1e-4,
    },
    "averages": {"custom_hooks": [{"type": "EMAHook", "momentum": 0.1}]},
}


@pytest.mark.parametrize("setting", GUARDS)
def test_infinite_moments_are_not_saved_under_any_setting(setting: str, tmp_path: Path) -> None:
    """The parameter would never learn again, in each run resumed from there."""
    plant = {"type": "LargeGradientHook", "at": 2}
    options = dict(GUARDS[setting])
    options["custom_hooks"] = [*options.get("custom_hooks", []), plant]
    message = r"exp_avg_sq of net.body.0.weight.*the last batch: train-\d{5}"
    with pytest.raises(NonFiniteError, match=message):
        trained(tmp_path, **options)
    assert not list(tmp_path.rglob("*.pth"))


def test_the_samples_of_a_non_finite_loss_are_named(tmp_path: Path) -> None:
    """The user would have to search all data for the damaged sample."""
    run = build(toy.config(tmp_path, **ONE, custom_hooks=[{"type": "PoisonHook", "at": 5}]))
    given = [run.train_dataloader.batch_sampler.tickets(0, batch) for batch in range(8)]
    names = ", ".join(f"train-{index:05d}" for _, index in given[4])
    assert sorted(index for batch in given for _, index in batch) == list(range(22))
    with pytest.raises(NonFiniteError, match=rf"data of that batch \({names}\)"):
        run.train()


def test_trackers_are_closed_by_an_error(tmp_path: Path) -> None:
    """A thread of the tracker would go on writing, and hold the scalars before the error."""
    run = build(toy.config(tmp_path, **ONE, custom_hooks=[{"type": "PoisonHook", "at": 5}]))
    before = set(threading.enumerate())
    with pytest.raises(NonFiniteError):
        run.train()
    assert set(threading.enumerate()) <= before
