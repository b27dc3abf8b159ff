"""Gather the state of a run for a checkpoint, and restore it."""

from pathlib import Path
from typing import Any, cast

import torch
from mmengine.hooks import EarlyStoppingHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext import __version__
from openstl_ext.engine import fully_shard, plan
from openstl_ext.engine.checkpoint import load_weights
from openstl_ext.engine.distributed import DDP
from openstl_ext.engine.learning_rate import rate_facts
from openstl_ext.engine.longer_training import EARLIER, Schedules, extended, extension_of
from openstl_ext.engine.saved_state import check_fits, check_kinds
from openstl_ext.errors import CheckpointError

WRAPPER = "model_wrapper_cfg"
WRAPPERS = {DDP, fully_shard.NAME}
"""Wrappers that differ in the rounding of sums only, so that a run may continue with the other."""
COUNTERS = ("wait_count", "best_score")
"""Attributes that mmengine's EarlyStoppingHook does not save."""


def unwrap(model: nn.Module) -> nn.Module:
    """Return the method without its distributed wrapper, if it has one."""
    return cast(nn.Module, model.module) if is_model_wrapper(model) else model


def plan_of(runner: Runner) -> plan.Facts:
    """Return what determines all later steps of a run; it must not change at a resume."""
    start = runner.given.get("load_from")
    facts = {
        "seed": runner.seed,
        "number of processes": runner.num_processes,
        "load_from": Path(start).name if start else None,
        **plan.training_facts(runner.cfg),
        **rate_facts(runner.cfg.to_dict(), runner.num_processes),
        **plan.data_facts(runner.train_loop.dataloader.dataset, "train_data"),
    }
    if runner.val_loop is not None and plan.waits_for_scores(runner.cfg.to_dict()):
        facts |= plan.data_facts(runner.val_loop.dataloader.dataset, "val_data")
        facts |= plan.forecast_facts(runner.cfg)
    return facts


def test_plan_of(runner: Runner) -> plan.Facts:
    """Return what determines the scores of the test of a run; nothing without a test."""
    if runner.test_loop is None:
        return {}
    data = plan.data_facts(runner.test_loop.dataloader.dataset, "test_data")
    return plan.test_facts(runner.cfg) | data


def accumulative_counts(runner: Runner) -> int:
    """Return the number of iterations per update."""
    return getattr(runner.optim_wrapper, "_accumulative_counts", 1)


def check_plan(saved: plan.Facts, now: plan.Facts, name: str) -> None:
    """Check that a run is resumed with the plan that its checkpoint was saved with.

    Args:
        saved: Plan in the checkpoint.
        now: Plan of this run.
        name: Name of the checkpoint.

    Raises:
        CheckpointError: With the differences.
    """
    found = list(plan.differences(saved, now))
    if {facts.get(f"{WRAPPER}.type") for facts in (saved, now)} == WRAPPERS:
        found = [one for one in found if not one[0].startswith(f"{WRAPPER}.")]
    if found:
        raise CheckpointError(
            f"cannot resume from {name}: {plan.shown(found)}; restore it, or start a new run from "
            "these weights with another --work-dir and --cfg-options load_from=FILE"
        )


def gather(runner: Runner, *, epoch: int, iteration: int) -> dict[str, Any]:
    """Return the complete state of a run: tensors and plain values, so that it loads safely.

    Args:
        runner: The run.
        epoch: Epoch that the iteration belongs to, from 0.
        iteration: Number of iterations done.
    """
    optimizer = runner.optim_wrapper.state_dict()
    state: dict[str, Any] = {
        "meta": {
            "epoch": epoch,
            "iteration": iteration,
            "epoch_closed": runner.train_loop.is_epoch_closed,
            **stated(runner),
            "versions": versions(),
            "num_states": len(optimizer["state"]),
            "training_time": runner.train_loop.clock.state(),
        },
        "state_dict": dict(unwrap(runner.model).state_dict()),
        "optimizer": optimizer,
        "param_schedulers": [plain(s.state_dict()) for s in schedulers(runner)],
        "early_stopping": [
            {name: getattr(hook, name) for name in COUNTERS} for hook in stoppers(runner)
        ],
    }
    state = fully_shard.whole(state)
    if fully_shard.is_divided(runner.model):  # reading the weights has divided them again
        runner.model.train(runner.model.training)
    # the EMA hook stores its averages as the weights, and the weights as ema_state_dict
    runner.call_hook("before_save_checkpoint", checkpoint=state)
    return state


def stated(runner: Runner) -> dict[str, Any]:
    """Return the identity of the training that each checkpoint carries; see ``Trained``."""
    return {
        "identity": runner.cfg.get("identity", ""),
        "overrides": list(runner.cfg.get("overrides") or ()),
        "config": runner.given,
        "plan": runner.plan,
        "test": runner.test_plan,
    }


def versions() -> dict[str, str]:
    """Return the versions that a later step may depend on."""
    return {"openstl_ext": __version__, "torch": str(torch.__version__)}


def restore(runner: Runner, state: dict[str, Any], name: str) -> bool:
    """Restore the state of a run, and move its loop to the saved place.

    Returns:
        Whether the run is longer than it was.

    Raises:
        CheckpointError: If the state is not resumable, was saved with another plan, or has a part
            that does not fit.
    """
    check_kinds(state, name)
    if not isinstance(state["meta"].get("config"), dict):
        raise CheckpointError(
            f"{name} was saved by an earlier version, which did not store the whole plan of a run, "
            "so it cannot be resumed; use load_from to start a new run with its weights"
        )
    saved = state["meta"]["plan"]
    if not plan.waits_for_scores(runner.cfg.to_dict()):  # earlier versions have stored them too
        saved = plan.without_forecast_facts(saved, runner.cfg)
    # weights that the run began with decide no later step, so they need not be named again
    earlier = {EARLIER: saved[EARLIER]} if EARLIER in saved else {}
    now = {**runner.plan, "load_from": saved.get("load_from"), **earlier}
    extension = extension_of(saved, now)
    if extension is not None:
        saved = extended(saved, now, extension)
        now[EARLIER] = saved[EARLIER]
    check_plan(saved, now, name)
    runner.plan = now
    longer = Schedules(runner, state["meta"], extension) if extension is not None else None
    if longer is not None:
        longer.check(name)
    if (before := state["meta"].get("versions")) != versions():
        runner.logger.warning(
            f"{name} was saved with {before}, this is {versions()}; later steps may differ"
        )
    check_fits(runner, state, name, longer.before if longer else schedulers(runner))
    runner.call_hook("after_load_checkpoint", checkpoint=state)
    load_weights(unwrap(runner.model), state["state_dict"])
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, saved in zip(schedulers(runner), state["param_schedulers"], strict=True):
        scheduler.load_state_dict(saved)
        # otherwise mmengine warns at the end of an epoch that a schedule steps before its optimiser
        scheduler.optimizer._global_step = state["meta"]["iteration"]
    if longer is not None:
        longer.carry_over()
    for hook, saved in zip(stoppers(runner), state["early_stopping"], strict=True):
        for counter, value in saved.items():
            setattr(hook, counter, value)
    runner.train_loop.clock.restore(state["meta"].get("training_time"))
    runner.train_loop.seek(
        epoch=state["meta"]["epoch"],
        iteration=state["meta"]["iteration"],
        is_epoch_closed=state["meta"].get("epoch_closed", False),
    )
    return longer is not None


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
