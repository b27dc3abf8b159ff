"""Learning rate by the samples of an update."""

from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import learning_rate
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.validate import validate
from openstl_ext.errors import ConfigError
from tests.engine import toy

SCALED = {"auto_scale_lr": {"enable": True, "base_batch_size": 256}, "param_scheduler": None}


def built(folder: Path, processes: int, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Runner:
    """Return a run of a batch of 3 samples a process, as if it had begun with more processes."""
    monkeypatch.setattr(Runner, "world_size", property(lambda _: processes))
    return build(toy.config(folder, **{**SCALED, **options}))


@pytest.mark.parametrize(
    ("processes", "accumulated", "samples"), [(1, 1, 3), (1, 4, 12), (2, 1, 6), (2, 4, 24)]
)
def test_the_rate_is_that_of_all_samples_of_an_update(
    processes: int,
    accumulated: int,
    samples: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rate of a published recipe would be another on another number of GPUs."""
    options = {"optim_wrapper.accumulative_counts": accumulated, "log_level": "INFO"}
    runner = built(tmp_path, processes, monkeypatch, **options)
    (group,) = runner.optim_wrapper.optimizer.param_groups
    assert group["lr"] == pytest.approx(1e-2 * samples / 256, rel=1e-12)
    assert runner.plan[learning_rate.SCALED] == group["lr"]
    (log,) = tmp_path.rglob("*.log")
    text = log.read_text()
    assert f"learning rate {group['lr']:g}: scaled by {samples} / 256" in text
    assert f"are 3 x {processes} x {accumulated}\n" in text


def test_a_schedule_may_step_before_the_first_update(tmp_path: Path) -> None:
    """Each training with accumulation would begin with a warning, which is an error here."""
    cfg = toy.config(tmp_path, **{"optim_wrapper.accumulative_counts": 3})
    assert cfg.param_scheduler
    build(cfg).train()


def test_the_published_pretraining_has_its_published_rate() -> None:
    """The formula could be another than the published one."""
    cfg = {
        "train_dataloader": {"batch_size": 256},
        "optim_wrapper": {"optimizer": {"lr": 1.5e-4}},
        "auto_scale_lr": {"enable": True, "base_batch_size": 256},
    }
    assert learning_rate.rate_facts(cfg, 8) == {learning_rate.SCALED: pytest.approx(1.2e-3)}


@pytest.mark.parametrize("scaling", [None, {"enable": False, "base_batch_size": 256}])
def test_a_rate_that_is_not_scaled_stays_as_given(scaling: Any, tmp_path: Path) -> None:
    """Recipes would be trained with other rates, and their checkpoints not be resumed."""
    options = {"auto_scale_lr": scaling, "optim_wrapper.accumulative_counts": 4}
    runner = build(toy.config(tmp_path, **options, param_scheduler=None))
    assert runner.optim_wrapper.optimizer.param_groups[0]["lr"] == 1e-2
    assert learning_rate.SCALED not in runner.plan


def test_all_groups_are_scaled(tmp_path: Path) -> None:
    """Parameters with a factor would keep the rate of another batch."""
    factors = {"custom_keys": {"net.body.0": {"lr_mult": 0.5}}}
    runner = build(toy.config(tmp_path, **SCALED, **{"optim_wrapper.paramwise_cfg": factors}))
    rates = [group["lr"] for group in runner.optim_wrapper.optimizer.param_groups]
    peak = 1e-2 * 3 / 256
    assert rates == pytest.approx([peak / 2, peak / 2, *[peak] * (len(rates) - 2)])


def test_a_scaling_without_a_base_is_an_error(tmp_path: Path) -> None:
    """The user would see a failed assertion of mmengine."""
    with pytest.raises(ConfigError, match=r"auto_scale_lr: .* set base_batch_size"):
        validate(complete(toy.config(tmp_path, auto_scale_lr={"enable": True})))
