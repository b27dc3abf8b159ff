"""Resume a run with more epochs or iterations than it was started with, where that is exact.

It is exact where each step that is done would have had the same values in the longer training. To
find out, both variants of each schedule are stepped side by side.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import Runner

from openstl_ext.engine.defaults import counted_in_iterations
from openstl_ext.engine.plan import Facts
from openstl_ext.engine.saved_state import CHANGING
from openstl_ext.engine.values import LENGTHS
from openstl_ext.errors import CheckpointError

EARLIER = "earlier lengths"
"""Fact of the plan: the lengths that a run had before it was extended; a record has them, too."""
ENDS = ("total_steps", "T_max", "end")
"""Arguments that give a schedule a length of its own, which is otherwise that of the training."""
END = re.compile(rf"param_scheduler(\.[0-9]+)?\.({'|'.join(ENDS)})")


@dataclass(frozen=True, kw_only=True)
class Extension:
    """Length of a run before and after it was extended.

    Args:
        key: Key of ``train_cfg``: ``max_epochs`` or ``max_iterations``.
        before: Length in the checkpoint.
        now: Length in the config.
    """

    key: str
    before: int
    now: int

    def iterations(self, length: int, per_epoch: int) -> int:
        """Return a length in iterations."""
        return length * per_epoch if self.key == LENGTHS[0] else length

    def epochs(self, length: int, per_epoch: int) -> int:
        """Return a length in epochs, the last of which may be incomplete."""
        return length if self.key == LENGTHS[0] else -(-length // per_epoch)


def extension_of(saved: Facts, now: Facts) -> Extension | None:
    """Return how a plan is longer than the saved one; None if it is not."""
    for key in LENGTHS:
        one, other = saved.get(f"train_cfg.{key}"), now.get(f"train_cfg.{key}")
        if type(one) is int and type(other) is int and 1 <= one < other:
            return Extension(key=key, before=one, now=other)
    return None


def extended(saved: Facts, now: Facts, extension: Extension) -> Facts:
    """Return a saved plan with the length, and the ends of schedules, of another plan."""
    kept = {key: value for key, value in saved.items() if not END.fullmatch(key)}
    ends = {key: value for key, value in now.items() if END.fullmatch(key)}
    key = f"train_cfg.{extension.key}"
    earlier = [*saved.get(EARLIER, ()), extension.before]
    return {**kept, **ends, key: extension.now, EARLIER: earlier}


class Schedules:
    """The schedules of a run before and after an extension, on optimisers without weights.

    Args:
        runner: The run, with its schedules built.
        meta: Metadata of the checkpoint.
        extension: The lengths.

    Attributes:
        before: Those of the checkpoint.
        now: Those of the run.
    """

    def __init__(self, runner: Runner, meta: dict[str, Any], extension: Extension) -> None:
        self.runner, self.extension = runner, extension
        self.iteration, self.per_epoch = meta["iteration"], len(runner.train_dataloader)
        self.saved_parts = listed(meta["config"].get("param_scheduler"))
        self.before = self.built(self.saved_parts, extension.before)
        self.now = self.built(listed(runner.cfg.get("param_scheduler")), extension.now)

    def built(self, parts: list[dict[str, Any]], length: int) -> list[_ParamScheduler]:
        """Build schedules for a length of the training, each on an optimiser of its own."""
        return [
            self.runner._build_param_scheduler([part], twin(self.runner))[0]
            for part in (self.with_end(part, length) for part in parts)
        ]

    def with_end(self, part: dict[str, Any], length: int) -> dict[str, Any]:
        """Return the config of a schedule that ends with the training, unless it has an end."""
        if self.extension.key != LENGTHS[0]:
            part = counted_in_iterations(part)
        by_epoch = part.get("by_epoch", True)
        unit = self.extension.epochs if by_epoch else self.extension.iterations
        return {"end": unit(length, self.per_epoch), **part}

    def check(self, name: str) -> None:
        """Check that the steps that are done would have been the same in the longer training.

        Raises:
            CheckpointError: With the schedules that depend on the length, and their arguments.
        """
        extension = self.extension
        counts = getattr(self.runner.optim_wrapper, "_accumulative_counts", 1)
        total = extension.iterations(extension.before, self.per_epoch)
        refusal = f"cannot resume from {name} with {extension.key}={extension.now}"
        if self.iteration == total and total % counts:
            raise CheckpointError(
                f"{refusal}: its last update has the gradients of {total % counts} instead of "
                f"{counts} iterations, as the training ended there; resume from the checkpoint "
                "before it, with --resume FILE"
            )
        found = list(self.dependent())
        if found:
            ends = " ".join(f"+{where}.end={end}" for where, end, _ in found)
            raise CheckpointError(
                f"{refusal}, the checkpoint has {extension.before}: "
                f"{'; '.join(text for _, _, text in found)}, so its earlier steps would have been "
                f"others; restore {extension.key}={extension.before}, or train on with the last "
                f"values: --cfg-options train_cfg.{extension.key}={extension.now} {ends}, or start "
                "a new run with another --work-dir"
            )

    def dependent(self) -> Iterator[tuple[str, int, str]]:
        """Yield place, former end and a phrase for each schedule that depends on the length."""
        single = isinstance(self.runner.cfg.get("param_scheduler"), dict)
        for index, (old, new) in enumerate(zip(self.before, self.now, strict=True)):
            static = changed(old, new)
            if not static or getattr(type(old), "need_val_args", False):
                continue
            first = first_difference(old, new, self.iteration, self.per_epoch)
            if first is None:
                continue
            where = "param_scheduler" if single else f"param_scheduler.{index}"
            argument = next(key for key in (*ENDS, *static) if key in static)
            end = self.with_end(self.saved_parts[index], self.extension.before)["end"]
            kind = self.saved_parts[index]["type"]
            yield (
                where,
                end,
                f"{kind} takes {where}.{argument} from the length of the training (iteration "
                f"{first + 1} would have another {old.param_name})",
            )

    def carry_over(self) -> None:
        """Give the schedules of the run, which have the state of the checkpoint, their new ends.

        A schedule that ended with the training did not step at its end; the longer one does.
        """
        for schedule, old, new in zip(
            self.runner.param_schedulers or [], self.before, self.now, strict=True
        ):
            static = changed(old, new)
            schedule.__dict__.update({key: vars(new)[key] for key in static})
            waits = getattr(type(schedule), "need_val_args", False)
            if not waits and old.end <= schedule._global_step < schedule.end:
                schedule._global_step -= 1
                schedule.step()


def listed(parts: Any) -> list[dict[str, Any]]:
    """Return the configs of schedules as a list."""
    parts = copy.deepcopy(parts or [])
    return [dict(part) for part in ([parts] if isinstance(parts, dict) else parts)]


def twin(runner: Any) -> torch.optim.Optimizer:
    """Return an optimiser with the options that a run has before its schedules, and no weights."""
    groups = copy.deepcopy(runner.unscheduled)
    for group in groups:
        group["params"] = [torch.zeros(1)]
    optimizer = runner.optim_wrapper.optimizer
    return torch.optim.Optimizer(groups, dict(optimizer.defaults))


def changed(old: _ParamScheduler, new: _ParamScheduler) -> list[str]:
    """Return the names of the values in which two unused schedules differ."""
    one, other = old.state_dict(), new.state_dict()
    return [key for key in other if key not in CHANGING and one.get(key) != other[key]]


def first_difference(
    old: _ParamScheduler, new: _ParamScheduler, iterations: int, per_epoch: int
) -> int | None:
    """Step two schedules side by side; return the first iteration with another value, from 0.

    Args:
        old: A schedule on an optimiser of its own.
        new: Another one.
        iterations: Number of iterations to compare.
        per_epoch: Iterations of an epoch.
    """
    for schedule in (old, new):
        schedule.optimizer._global_step = iterations  # or mmengine warns that no step is made
    every = per_epoch if old.by_epoch else 1
    for iteration in range(0, iterations, every):
        if values(old) != values(new):
            return iteration
        old.step()
        new.step()
    return None


def values(schedule: _ParamScheduler) -> list[float]:
    """Return the present value of a schedule in each group of parameters."""
    return [group[schedule.param_name] for group in schedule.optimizer.param_groups]
