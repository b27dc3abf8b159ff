"""Gather the state of a run for a checkpoint, and restore it."""

import json
from typing import Any, cast

from mmengine.hooks import EarlyStoppingHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext.engine.checkpoint import load_weights
from openstl_ext.errors import CheckpointError

COUNTERS = ("wait_count", "best_score")
"""Attributes that mmengine's EarlyStoppingHook does not save."""


def unwrap(model: nn.Module) -> nn.Module:
    """Return the method without its distributed wrapper, if it has one."""
    return cast(nn.Module, model.module) if is_model_wrapper(model) else model


def plan(runner: Runner) -> dict[str, Any]:
    """Return what determines all later steps of a run; it must not change at a resume."""
    loop, cfg = runner.train_loop, runner.cfg
    return {
        "seed": runner.seed,
        "number of processes": runner.num_processes,
        "batch size": loop.batch_size,
        "samples": len(loop.dataloader.dataset),
        "batches an epoch": len(loop.dataloader),
        "epochs": loop.max_epochs if loop.max_iterations is None else None,
        "iterations": loop.max_iterations,
        "accumulative_counts": accumulative_counts(runner),
        "optim_wrapper": as_json(cfg.get("optim_wrapper")),
        "param_scheduler": as_json(cfg.get("param_scheduler")),
    }


def accumulative_counts(runner: Runner) -> int:
    """Return the number of iterations per update."""
    return getattr(runner.optim_wrapper, "_accumulative_counts", 1)


def as_json(part: Any) -> str:
    """Return a part of a config as text that does not depend on the order of its keys."""
    return json.dumps(part, sort_keys=True, default=str)


def check_plan(saved: dict[str, Any], now: dict[str, Any], name: str) -> None:
    """Check that a run is resumed with the plan that its checkpoint was saved with.

    Args:
        saved: Plan in the checkpoint.
        now: Plan of this run.
        name: Name of the checkpoint.

    Raises:
        CheckpointError: With all differences.
    """
    differing = [
        f"{key} is {value}, the checkpoint has {saved.get(key)}"
        for key, value in now.items()
        if saved.get(key) != value
    ]
    if differing:
        raise CheckpointError(
            f"cannot resume from {name}: {'; '.join(differing)}; restore it or use another "
            "--work-dir (with load_from=FILE it starts from these weights)"
        )


def gather(runner: Runner, *, epoch: int, iteration: int, resumable: bool) -> dict[str, Any]:
    """Return the content of a checkpoint: tensors and plain values, so that it loads safely.

    Args:
        runner: The run.
        epoch: Epoch that the iteration belongs to, from 0.
        iteration: Number of iterations done.
        resumable: Whether to include the state of the optimiser, schedules and hooks.
    """
    state: dict[str, Any] = {
        "meta": {
            "epoch": epoch,
            "iteration": iteration,
            "epoch_closed": runner.train_loop.is_epoch_closed,
            "config": runner.cfg.get("identity", ""),
            "plan": plan(runner),
        },
        "state_dict": dict(unwrap(runner.model).state_dict()),
    }
    if resumable:
        state["optimizer"] = runner.optim_wrapper.state_dict()
        state["param_schedulers"] = [plain(s.state_dict()) for s in schedulers(runner)]
        state["early_stopping"] = [
            {name: getattr(hook, name) for name in COUNTERS} for hook in stoppers(runner)
        ]
    # the EMA hook stores its averages as the weights, and the weights as ema_state_dict
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    if not resumable:
        state.pop("ema_state_dict", None)
    return state


def restore(runner: Runner, state: dict[str, Any], name: str) -> None:
    """Restore the state of a run, and move its loop to the saved place.

    Raises:
        CheckpointError: If the state is not resumable, or was saved with another plan.
    """
    if "optimizer" not in state or "plan" not in state.get("meta", {}):
        raise CheckpointError(
            f"{name} contains weights only, so it cannot be resumed; use load_from to start a new "
            "run with them"
        )
    check_plan(state["meta"]["plan"], plan(runner), name)
    runner.call_hook("after_load_checkpoint", checkpoint=state)
    load_weights(unwrap(runner.model), state["state_dict"])
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, saved in zip(schedulers(runner), state["param_schedulers"], strict=True):
        scheduler.load_state_dict(saved)
        # otherwise mmengine warns at the end of an epoch that a schedule steps before its optimiser
        scheduler.optimizer._global_step = state["meta"]["iteration"]
    for hook, saved in zip(stoppers(runner), state["early_stopping"], strict=True):
        for counter, value in saved.items():
            setattr(hook, counter, value)
    runner.train_loop.seek(
        epoch=state["meta"]["epoch"],
        iteration=state["meta"]["iteration"],
        is_epoch_closed=state["meta"].get("epoch_closed", False),
    )


def schedulers(runner: Runner) -> list[Any]:
    """Return all parameter schedulers, in the order of the config."""
    return list(runner.param_schedulers or [])


def stoppers(runner: Runner) -> list[Any]:
    """Return the hooks that count validations without progress."""
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Return the plain values only; methods are created again by the constructor."""
    return {k: v for k, v in values.items() if is_plain(v)}


def is_plain(value: Any) -> bool:
    """Return whether a value can be stored without pickling code."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, Tensor))
