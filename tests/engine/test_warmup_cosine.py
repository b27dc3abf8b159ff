"""The cosine schedules, compared with their closed forms; and the schedules of SMARTIES."""

import math
from pathlib import Path
from typing import Any

import pytest
from torch import nn
from torch.optim import SGD

from openstl_ext.config import load
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.state import plain
from openstl_ext.engine.warmup_cosine import WarmupCosineLR, WarmupThenCosineLR
from openstl_ext.errors import ConfigError
from tests.engine import toy

SCHEDULES = Path(__file__).parents[2] / "configs/_base_/schedules"


def optimizer(*peaks: float) -> SGD:
    return SGD([{"params": nn.Linear(1, 1).parameters(), "lr": peak} for peak in peaks])


def rates(schedule: Any, epochs: int) -> list[list[float]]:
    """Return the learning rates of all parameter groups for each epoch."""
    found = []
    for _ in range(epochs):
        found.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step()
    return found


def closed_form(epoch: int, peak: float, epochs: int, warmup: int) -> float:
    if epoch < warmup:
        return 1e-5 + epoch * (peak - 1e-5) / warmup
    return 1e-6 + 0.5 * (peak - 1e-6) * (1 + math.cos(math.pi * epoch / epochs))


@pytest.mark.parametrize(("epochs", "warmup"), [(50, 5), (200, 5), (50, 0), (7, 6)])
def test_every_epoch_has_the_rate_of_the_closed_form(epochs: int, warmup: int) -> None:
    """Models for TaxiBJ would be trained with another schedule than the published ones."""
    peaks = (5e-4, 1e-4)
    found = rates(WarmupCosineLR(optimizer(*peaks), end=epochs, warmup=warmup), epochs)
    for epoch, values in enumerate(found):
        wanted = [closed_form(epoch, peak, epochs, warmup) for peak in peaks]
        assert values == pytest.approx(wanted, rel=1e-12)


def test_known_rates_by_hand() -> None:
    """Schedule and closed form could have the same mistake."""
    found = [values[0] for values in rates(WarmupCosineLR(optimizer(5e-4), end=50), 50)]
    assert found[0] == pytest.approx(1e-5)
    assert found[1] == pytest.approx(1.08e-4)
    assert found[5] == pytest.approx(1e-6 + 4.99e-4 * (1 + math.cos(0.1 * math.pi)) / 2)
    assert found[25] == pytest.approx(2.505e-4)  # half-way between peak and floor
    assert max(found) == found[5] < 5e-4  # the cosine has begun before the warm-up is over


def test_the_rate_continues_after_a_resume() -> None:
    """A resumed run would have another rate than an uninterrupted one."""
    whole = rates(WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4), 20)
    for stop in (3, 11):
        first = WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4)
        rates(first, stop)
        saved = plain(first.state_dict())  # the part that a checkpoint contains
        resumed = WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4)
        resumed.load_state_dict(saved)
        resumed.optimizer.load_state_dict(first.optimizer.state_dict())
        assert rates(resumed, 20 - stop) == whole[stop:]
    assert len({rate for (rate,) in whole}) > 10


def of_transformers(step: int, peak: float, steps: int, warmup: int) -> float:
    """Return the rate of ``get_cosine_schedule_with_warmup`` with half a cycle."""
    if step < warmup:
        return peak * step / max(1, warmup)
    done = (step - warmup) / max(1, steps - warmup)
    return peak * max(0.0, 0.5 * (1 + math.cos(math.pi * 2 * 0.5 * done)))


@pytest.mark.parametrize(("steps", "warmup"), [(60, 10), (30, 0), (7, 6)])
def test_a_cosine_after_the_warm_up_has_the_rates_of_its_closed_form(
    steps: int, warmup: int
) -> None:
    """Masked autoencoders would be trained with another schedule than the published one."""
    peaks = (1.2e-3, 1e-4)
    schedule = WarmupThenCosineLR(optimizer(*peaks), end=steps, warmup=warmup, by_epoch=False)
    for step, values in enumerate(rates(schedule, steps)):
        wanted = [of_transformers(step, peak, steps, warmup) for peak in peaks]
        assert values == pytest.approx(wanted, rel=1e-12)


def test_a_warm_up_as_long_as_the_training_is_an_error() -> None:
    """The peak would never be reached."""
    with pytest.raises(ConfigError, match="warmup=5 is as long as the schedule of 5 steps"):
        WarmupThenCosineLR(optimizer(1.0), end=5, warmup=5)


def trained_by(name: str, work_dir: Path, epochs: int) -> Runner:
    """Return a run of toys, 8 batches of 3 an epoch, with a schedule of the bases."""
    base = load(SCHEDULES / f"{name}.py")
    blocks = ("optim_wrapper", "param_scheduler", "auto_scale_lr")
    cfg = toy.config(work_dir, **{"train_cfg.max_epochs": epochs})
    for block in blocks:
        cfg[block] = base[block]
    if "constructor" in cfg.optim_wrapper:  # the toy has no blocks
        del cfg.optim_wrapper["constructor"], cfg.optim_wrapper["paramwise_cfg"]["layer_decay"]
    return build(cfg)


@pytest.mark.parametrize(
    ("name", "epochs", "warmup", "lr", "decay"),
    [
        ("adamw_masked_pretraining", 300, 20, 1.5e-4, 0.05),
        ("adamw_fine_tuning", 150, 5, 2e-4, 0.05),
    ],
)
def test_the_rates_of_a_base_are_those_of_its_publication_at_each_iteration(
    name: str, epochs: int, warmup: int, lr: float, decay: float, tmp_path: Path
) -> None:
    """A recipe would be trained with another rate than its name says."""
    assert load(SCHEDULES / f"{name}.py").train_cfg.max_epochs == epochs
    runner = trained_by(name, tmp_path, epochs)
    (schedule,) = runner.param_schedulers
    groups = runner.optim_wrapper.optimizer.param_groups
    assert {group["weight_decay"] for group in groups} == {0.0, decay}
    assert all(group["betas"] == (0.9, 0.95) for group in groups)
    peak, steps = lr * 3 / 256, epochs * 8
    assert (schedule.length, schedule.warmup, schedule.by_epoch) == (steps, warmup * 8, False)
    for step in (0, 1, warmup * 8 - 1, warmup * 8, steps // 2, steps - 1):
        wanted = of_transformers(step, peak, steps, warmup * 8)
        assert schedule.share(step) * peak == pytest.approx(wanted, rel=1e-12)


def test_a_run_takes_its_steps_with_the_rates_of_the_schedule(tmp_path: Path) -> None:
    """The schedule could be one iteration late, or advance by epoch."""
    runner = trained_by("adamw_fine_tuning", tmp_path, 6)
    optimizer, seen = runner.optim_wrapper.optimizer, []
    step = optimizer.step
    optimizer.step = lambda: (seen.append(optimizer.param_groups[0]["lr"]), step())
    runner.train()
    wanted = [of_transformers(i, 2e-4 * 3 / 256, 48, 40) for i in range(48)]
    assert seen == pytest.approx(wanted, rel=1e-12)


def test_a_linear_probe_has_a_tenth_of_the_rate_after_60_and_80_epochs(tmp_path: Path) -> None:
    """A probe would be compared with published ones of another training."""
    runner = trained_by("adamw_linear_probing", tmp_path, 100)
    (group,) = runner.optim_wrapper.optimizer.param_groups
    assert group["weight_decay"] == 0
    (schedule,) = runner.param_schedulers
    runner.optim_wrapper.optimizer.step()
    found = [rate for (rate,) in rates(schedule, 100)]
    peak = 1e-3 * 3 / 256
    assert found == pytest.approx([peak] * 60 + [peak / 10] * 20 + [peak / 100] * 20)


def test_a_schedule_in_epochs_is_not_used_in_a_training_of_iterations(tmp_path: Path) -> None:
    """The rate would not fall to 0: the last epoch is longer than the training."""
    cfg = toy.config(tmp_path, train_cfg={"_delete_": True, "max_iterations": 9})
    cfg.param_scheduler = load(SCHEDULES / "adamw_fine_tuning.py").param_scheduler
    with pytest.raises(ConfigError, match="remove convert_to_iter_based"):
        build(cfg)
    cfg.param_scheduler = [{"type": "WarmupThenCosineLR", "warmup": 2}]
    (schedule,) = build(cfg).param_schedulers
    assert (schedule.length, schedule.warmup, schedule.by_epoch) == (9, 2, False)
