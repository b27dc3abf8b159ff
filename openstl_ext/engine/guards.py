"""End a run after a non-finite loss or a signal."""

import signal
import threading
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from openstl_ext.engine.state import accumulative_counts
from openstl_ext.errors import NonFiniteError
from openstl_ext.registry import FUNCTIONS, HOOKS
from openstl_ext.value_types import Count

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)
)
"""Signals that job schedulers send before they kill a run."""


@FUNCTIONS.register_module()
def ignore_signals(worker_id: int) -> None:  # noqa: ARG001
    """Make a worker ignore signals sent to all processes of a job, so that the run can still save.

    The worker ends when ``end_workers`` closes its loader, or when its parent has ended.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_workers(loaders: Iterable[DataLoader[Any]]) -> None:
    """End the workers that wait for another epoch.

    At exit, Python would send them SIGTERM, which they ignore, and wait for them forever.
    """
    for loader in loaders:
        if (iterator := getattr(loader, "_iterator", None)) is not None:
            iterator._shutdown_workers()  # not `del`: a traceback may refer to it
            loader._iterator = None


class SignalWatch:
    """Store a received signal, so that the run can end at a place where it can be resumed.

    The handler does nothing else: saving inside it could store half a step.

    Attributes:
        caught: Number of the signal that this process received, or 0.
        agreed: Largest ``caught`` of all ranks at the last check of ``GuardHook``.
    """

    def __init__(self) -> None:
        self.caught = self.agreed = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "SignalWatch":
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.caught = number


@HOOKS.register_module()
class GuardHook(Hook):
    """Stop at a non-finite loss before it is saved, and share signals among ranks.

    All ranks stop together: if one stopped alone, the others would wait for it.

    Args:
        interval: Iterations between checks; each covers all losses since the last one. Reading a
            loss makes a GPU wait, so None means every iteration on a CPU and every tenth elsewhere.

    Raises:
        NonFiniteError: With the iteration and the terms of the loss.
    """

    priority = "HIGH"  # before anything is logged or saved

    def __init__(self, *, interval: Count | None = None) -> None:
        self.interval = interval or (1 if get_device() == "cpu" else 10)
        self.pending: list[tuple[int, dict[str, Tensor]]] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        terms = {k: v.detach() for k, v in (outputs or {}).items() if isinstance(v, Tensor)}
        self.pending.append((runner.iter, terms))
        done = runner.iter + 1
        if done % self.interval == 0 or ends_epoch(runner):
            self.check_losses(runner)

    def check_losses(self, runner: Runner) -> None:
        """Decide together with all ranks whether to stop."""
        seen, self.pending = self.pending, []
        losses = torch.stack([terms["loss"] for _, terms in seen]).float()
        bad = float(not bool(losses.isfinite().all()))
        flags = torch.tensor([bad, float(runner.watch.caught)])
        if runner.world_size > 1:
            flags = flags.to(get_device())
            all_reduce(flags, op="max")
        any_bad, caught = flags.tolist()
        runner.watch.agreed = int(caught)
        if any_bad:
            raise NonFiniteError(described(seen, runner.rank))


def ends_epoch(runner: Runner) -> bool:
    """Return whether the current iteration is the last one of an epoch or of the training."""
    done = runner.iter + 1
    return done % len(runner.train_dataloader) == 0 or done == runner.max_iters


def described(seen: list[tuple[int, dict[str, Tensor]]], rank: int) -> str:
    """Return the message about the first non-finite loss, with its terms on this rank."""
    for iteration, terms in seen:
        if not bool(terms["loss"].isfinite()):
            values = ", ".join(f"{name} = {float(value):g}" for name, value in terms.items())
            return (
                f"the loss is not finite at iteration {iteration + 1} on rank {rank}: {values}; "
                "the last checkpoint is intact; check the data of that batch, lower the learning "
                "rate or clip gradients"
            )
    return f"the loss is not finite on another rank, near iteration {seen[-1][0] + 1}"


@HOOKS.register_module()
class PreemptionHook(Hook):
    """After a signal, save at the next iteration that completes an update, and exit.

    The exit status is 128 + signal (143 for SIGTERM), and ``--resume`` continues from there bit
    for bit. In the middle of an accumulation the gradients, which are not saved, would be lost.

    Raises:
        SystemExit: After saving.
    """

    priority = "VERY_LOW"  # after the steps of schedules and averages

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        done, caught = runner.iter + 1, runner.watch.agreed
        if caught and (done % accumulative_counts(runner) == 0 or done == runner.max_iters):
            runner.save_resumable(epoch=runner.epoch, iteration=done)
            runner.logger.warning(
                f"signal {caught}: saved after {done} iterations; continue with --resume"
            )
            raise SystemExit(128 + caught)
