"""End a run that should not go on: a loss that is no number, or a signal that time is up."""

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

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)
)
"""What schedulers send before they kill."""


@FUNCTIONS.register_module()
def ignore_signals(worker_id: int) -> None:  # noqa: ARG001
    """Let a worker outlive a signal to all processes of a job, so that the run can end in order.

    It ends when `end_workers` closes its loader, or when its parent is gone.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_workers(loaders: Iterable[DataLoader[Any]]) -> None:
    """End the workers that wait for another epoch.

    At exit Python would send them SIGTERM, which they ignore, and wait for them for ever.
    """
    for loader in loaders:
        if (iterator := getattr(loader, "_iterator", None)) is not None:
            iterator._shutdown_workers()  # a traceback may hold it still, so `del` is not enough
            loader._iterator = None


class SignalWatch:
    """Remember a signal instead of dying of it, so that the run can end where it can be resumed.

    The handler does nothing else: saving inside it could store half a step.

    Attributes:
        caught: Number of the signal that this process received, or 0.
        agreed: The same for all ranks, as of the last look of ``GuardHook``.
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
    """Stop on a non-finite loss before it is saved, and let all ranks hear of a signal.

    All ranks decide alike: one that stopped alone would leave the others waiting, or poison them.

    Args:
        interval: Iterations between looks. Reading a loss makes a GPU wait, so None means every
            iteration on a CPU and every tenth elsewhere; no loss goes unlooked at.

    Raises:
        NonFiniteError: With the iteration and the terms of the loss.
    """

    priority = "HIGH"  # before anything is logged or saved

    def __init__(self, *, interval: int | None = None) -> None:
        self.interval = interval or (1 if get_device() == "cpu" else 10)
        self.pending: list[tuple[int, dict[str, Tensor]]] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ARG002
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        terms = {k: v.detach() for k, v in (outputs or {}).items() if isinstance(v, Tensor)}
        self.pending.append((runner.iter, terms))
        last = batch_idx + 1 == len(runner.train_dataloader)
        if (runner.iter + 1) % self.interval == 0 or last:
            self.look(runner)

    def look(self, runner: Runner) -> None:
        """Find out, together with all ranks, whether to stop."""
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


def described(seen: list[tuple[int, dict[str, Tensor]]], rank: int) -> str:
    """Where a loss ceased to be finite on this rank, and with which terms."""
    for iteration, terms in seen:
        if not bool(terms["loss"].isfinite()):
            said = ", ".join(f"{name} = {float(value):g}" for name, value in terms.items())
            return (
                f"the loss is not finite at iteration {iteration + 1} on rank {rank}: {said}. "
                "Nothing was saved since the last checkpoint; look at the data of that batch, "
                "lower the learning rate or clip gradients"
            )
    return f"the loss is not finite on another rank, near iteration {seen[-1][0] + 1}"


@HOOKS.register_module()
class PreemptionHook(Hook):
    """After a signal, save at the next iteration that completes an update, and exit.

    The exit status is 128 + signal (143 for SIGTERM), and ``--resume`` goes on from there bit for
    bit. In the middle of an accumulation the gradients, which are not saved, would be lost.

    Raises:
        SystemExit: When all is saved.
    """

    priority = "VERY_LOW"  # schedules and averages have made their step

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        done, caught = runner.iter + 1, runner.watch.agreed
        if caught and (done % accumulative_counts(runner) == 0 or done == runner.max_iters):
            runner.save_resumable(epoch=runner.epoch, iteration=done)
            runner.logger.warning(
                f"signal {caught}: saved after {done} iterations; go on with --resume"
            )
            raise SystemExit(128 + caught)
