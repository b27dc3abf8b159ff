"""Epochs and learning rate: the keys of the loop, the optimiser and the schedules."""

from typing import Any

from openstl_ext.config.structure import schedules
from openstl_ext.errors import ConfigError
from openstl_ext.flags.changes import Changes

LENGTHS = ("total_steps", "T_max", "end")
"""Arguments of schedules that may be the length of the training."""
PARTS = ("warmup", "milestones")
"""Arguments of schedules that are a part of the training; they keep their share."""
FLOORS = ("floor", "eta_min", "min_lr", "start")
"""Rates of schedules that do not follow from that of the optimiser."""
RATE = "optim_wrapper.optimizer.lr"
EPOCHS = "train_cfg.max_epochs"


def set_epochs(changes: Changes, epochs: int) -> None:
    """Set the number of epochs; schedules that count epochs keep their shape.

    Raises:
        ConfigError: If nothing is trained, or the training counts iterations.
    """
    former = changes.get(EPOCHS)
    if changes.get("train_dataloader") is None or changes.get("train_cfg") is None:
        raise ConfigError("--epochs: this config trains nothing (it has no train_cfg); remove it")
    if former is None:
        raise ConfigError(
            "--epochs: this config trains for train_cfg.max_iterations="
            f"{changes.get('train_cfg.max_iterations')}; set that with --cfg-options"
        )
    changes.set(EPOCHS, epochs, option="--epochs")
    for where, schedule in schedules(changes.config):
        if not schedule.get("by_epoch", True):
            continue
        for key in LENGTHS:
            if schedule.get(key) == former:
                changes.set(f"{where}.{key}", epochs, option="--epochs", follows=True)
        for key in PARTS:
            if (value := schedule.get(key)) is not None:
                scale = _share_of_warmup if key == "warmup" else _scaled
                scaled = scale(value, epochs, former)
                changes.set(f"{where}.{key}", scaled, option="--epochs", follows=True)


def set_rate(changes: Changes, rate: float) -> None:
    """Set the learning rate: that of the optimiser, or the peak of a cycle that replaces it.

    Raises:
        ConfigError: If nothing is trained, or a schedule ends above the rate.
    """
    if changes.get("train_dataloader") is None or changes.get("optim_wrapper.optimizer") is None:
        raise ConfigError("--lr: this config trains nothing (it has no optim_wrapper); remove it")
    cycles = [
        where
        for where, schedule in schedules(changes.config)
        if str(schedule.get("type")).rpartition(".")[2] == "OneCycleLR"
        and not schedule.get("begin")
    ]
    for where in cycles:
        changes.set(f"{where}.eta_max", rate, option="--lr")
    if not cycles:
        changes.set(RATE, rate, option="--lr")
    for where, schedule in schedules(changes.config):
        for key in FLOORS:
            lowest = schedule.get(key)
            if isinstance(lowest, int | float) and lowest > rate:
                raise ConfigError(
                    f"--lr {rate:g} is below {where}.{key}={lowest:g}, so the schedule would raise "
                    f"it; set that too, with --cfg-options {where}.{key}=..."
                )


def _scaled(value: Any, epochs: int, former: int) -> Any:
    """Return epochs of a schedule with the same share of another training, at least one each."""
    if isinstance(value, list | tuple):
        steps = [max(1, _scaled(step, epochs, former)) for step in value]
        return sorted(dict.fromkeys(steps))
    return round(value * epochs / former)


def _share_of_warmup(warmup: int, epochs: int, former: int) -> int:
    """Return a warm-up that is shorter than the training; at least one epoch if there was one."""
    return min(max(_scaled(warmup, epochs, former), min(warmup, 1)), epochs - 1)
