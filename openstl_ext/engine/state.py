"""What a checkpoint holds, and whether a run may go on from it."""

import json
from typing import Any, cast

from mmengine.hooks import EarlyStoppingHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext.engine.checkpoint import load_weights
from openstl_ext.errors import CheckpointError

COUNTERS = ("wait_count", "best_score")
"""What mmengine's EarlyStoppingHook knows and does not save."""


def unwrap(model: nn.Module) -> nn.Module:
    """The method inside its distributed wrapper, if it has one."""
    return cast(nn.Module, model.module) if is_model_wrapper(model) else model


def plan(runner: Runner) -> dict[str, Any]:
    """What decides every later step of a run; it must not change when the run goes on."""
    loop, cfg = runner.train_loop, runner.cfg
    return {
        "seed": runner.seed,
        "number of processes": runner.world_size,
        "batch size": loop.batch_size,
        "samples": len(loop.dataloader.dataset),
        "batches an epoch": len(loop.dataloader),
        "epochs": loop.max_epochs,
        "accumulative_counts": accumulative_counts(runner),
        "optim_wrapper": as_json(cfg.get("optim_wrapper")),
        "param_scheduler": as_json(cfg.get("param_scheduler")),
    }


def accumulative_counts(runner: Runner) -> int:
    """Iterations that share one update."""
    return getattr(runner.optim_wrapper, "_accumulative_counts", 1)


def as_json(part: Any) -> str:
    """A part of a config as text that does not depend on the order of its keys."""
    return json.dumps(part, sort_keys=True, default=str)


def check_plan(saved: dict[str, Any], now: dict[str, Any], name: str) -> None:
    """Refuse to go on with a run that would become another one.

    Raises:
        CheckpointError: With what differs.
    """
    differing = [
        f"{key} was {saved.get(key)}, is {value}"
        for key, value in now.items()
        if saved.get(key) != value
    ]
    if differing:
        raise CheckpointError(
            f"a run goes on only as itself, and {name} is of another: {'; '.join(differing)}. "
            "Put that back, or start a new --work-dir (its load_from can take these weights)"
        )


def gather(runner: Runner, *, epoch: int, iteration: int, resumable: bool) -> dict[str, Any]:
    """Everything that a checkpoint holds: tensors and plain values, so that it loads safely.

    Args:
        runner: The run.
        epoch: Epoch that the iteration belongs to, from 0.
        iteration: Number of iterations done.
        resumable: Whether the state of the optimiser and all that goes with it is wanted.
    """
    state: dict[str, Any] = {
        "meta": {
            "epoch": epoch,
            "iteration": iteration,
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
    # the EMA hook puts its averages in the place of the weights, and the weights beside them
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    if not resumable:
        state.pop("ema_state_dict", None)
    return state


def restore(runner: Runner, state: dict[str, Any], name: str) -> None:
    """Put a run where it was when its state was gathered.

    Raises:
        CheckpointError: If the state is not resumable, or of another run.
    """
    if "optimizer" not in state or "plan" not in state.get("meta", {}):
        raise CheckpointError(
            f"{name} holds weights only, so no run can go on from it; "
            "use load_from to start a new run with them"
        )
    check_plan(state["meta"]["plan"], plan(runner), name)
    runner.call_hook("after_load_checkpoint", checkpoint=state)
    load_weights(unwrap(runner.model), state["state_dict"])
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, saved in zip(schedulers(runner), state["param_schedulers"], strict=True):
        scheduler.load_state_dict(saved)
        # or mmengine warns of a schedule that steps before its optimiser, at an epoch's end
        scheduler.optimizer._global_step = state["meta"]["iteration"]
    for hook, saved in zip(stoppers(runner), state["early_stopping"], strict=True):
        for counter, value in saved.items():
            setattr(hook, counter, value)
    runner.train_loop.seek(epoch=state["meta"]["epoch"], iteration=state["meta"]["iteration"])


def schedulers(runner: Runner) -> list[Any]:
    """All parameter schedulers, in the order of the config."""
    return list(runner.param_schedulers or [])


def stoppers(runner: Runner) -> list[Any]:
    """Hooks that count epochs without progress."""
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is no plain value: methods, which the constructor makes anew."""
    return {k: v for k, v in values.items() if is_plain(v)}


def is_plain(value: Any) -> bool:
    """Whether it can be stored without pickling code."""
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, Tensor))
